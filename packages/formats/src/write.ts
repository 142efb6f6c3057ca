import type { LogScoreChunk } from '@archiver/core'
import { encodeCsv } from './csv.js'
import { encodeNdjson } from './ndjson.js'

/** Takes bytes in order, one call at a time. The bytes may be used for something else once the promise is resolved. */
export type WriteBytes = (bytes: Uint8Array) => Promise<unknown>

/** Writes rows in one format, from the first byte to the last. Memory does not grow with the rows. */
export type WriteRows = (chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes) => Promise<void>

interface FormatFacts {
  /** Whether people can read it. */
  readonly isText: boolean
  readonly contentType: string
  /** What writes it is imported when it is asked for. */
  load(): Promise<WriteRows>
}

const facts = {
  ndjson: { isText: true, contentType: 'application/x-ndjson', load: async () => asText(encodeNdjson) },
  csv: { isText: true, contentType: 'text/csv; charset=utf-8; header=present', load: async () => asText(encodeCsv) },
  parquet: {
    isText: false,
    contentType: 'application/vnd.apache.parquet',
    load: async () => (await import('./parquet.js')).writeParquet,
  },
  avro: { isText: false, contentType: 'application/avro', load: async () => (await import('./avro.js')).writeAvro },
} as const satisfies Readonly<Record<string, FormatFacts>>

export type Format = keyof typeof facts

/** All of them. */
export const formats: readonly Format[] = Object.keys(facts).filter((name) => isFormat(name))

export function isFormat(name: string): name is Format {
  return Object.hasOwn(facts, name)
}

export function formatFacts(format: Format): FormatFacts {
  return facts[format]
}

/** Writes rows in a format. @throws what reading the rows or writing the bytes throws; RowError where the format cannot hold a row. */
export async function writeRows(
  format: Format,
  chunks: AsyncIterable<LogScoreChunk>,
  write: WriteBytes,
): Promise<void> {
  const writeAll = await formatFacts(format).load()
  await writeAll(chunks, write)
}

function asText(encode: (chunks: AsyncIterable<LogScoreChunk>) => AsyncGenerator<Uint8Array>): WriteRows {
  return async (chunks, write) => {
    for await (const piece of encode(chunks)) await write(piece)
  }
}
