/** All formats that rows are written in. */
export const formats = ['ndjson', 'csv', 'parquet', 'avro'] as const

export type Format = (typeof formats)[number]

export function isFormat(name: string): name is Format {
  return formats.some((format) => format === name)
}

/** Whether people can read it. */
export function isText(format: Format): boolean {
  return format === 'ndjson' || format === 'csv'
}
