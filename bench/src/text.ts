/** `1,234,567` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Whole megabytes of 2^20 bytes. */
export function megabytes(bytes: number): string {
  return count(bytes / 1_048_576)
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

/**
 * A Markdown table, aligned to be read as it is: numbers stand at the right, everything else at the left.
 *
 * @param rows cells by the column's heading
 */
export function textTable(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const headings = Object.keys(rows[0] ?? {})
  const columns = headings.map((heading) => column(heading, rows))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ heading }) => heading)),
    line(columns.map(({ rule }) => rule)),
    ...rows.map((_, i) => line(columns.map(({ cells }) => cells[i]!))),
  ].join('\n')
}

interface Column {
  readonly heading: string
  readonly rule: string
  readonly cells: readonly string[]
}

function column(heading: string, rows: readonly Readonly<Record<string, string | number>>[]): Column {
  const texts = rows.map((row) => String(row[heading] ?? ''))
  const isNumeric = texts.every((text) => /^[-–]?[\d,.]*$/.test(text))
  const width = Math.max(3, heading.length, ...texts.map((text) => text.length))
  const pad = (text: string) => (isNumeric ? text.padStart(width) : text.padEnd(width))
  const rule = isNumeric ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)
  return { heading: pad(heading), rule, cells: texts.map(pad) }
}
