import type { SourceRow } from './rows.js'

const bytesPerPiece = 64 * 1024

/** Rows in the text form of LOAD DATA, in pieces of about 64 KB. */
export function* loadData(rows: Iterable<SourceRow>, columns: readonly string[]): Generator<string> {
  const texts = columns.map((column) => fieldText[column] ?? unknownColumn(column))
  let piece = ''
  for (const row of rows) {
    texts.forEach((text, i) => {
      piece += i === 0 ? text(row) : `\t${text(row)}`
    })
    piece += '\n'
    if (piece.length < bytesPerPiece) continue
    yield piece
    piece = ''
  }
  yield piece
}

const fieldText: Readonly<Record<string, (row: SourceRow) => string | number | bigint>> = {
  id: (row) => row.id,
  monitor_id: (row) => row.monitorId ?? '\\N',
  server_id: (row) => row.serverId,
  ts: (row) => dateTime(row.tsSeconds),
  score: (row) => row.score,
  step: (row) => row.step,
  offset: (row) => row.offset ?? '\\N',
  rtt: (row) => row.rtt ?? '\\N',
  attributes: (row) => (row.attributes === null ? '\\N' : row.attributes.replace(/[\\\t\n]/g, '\\$&')),
}

function unknownColumn(column: string): never {
  throw new Error(`the source table has a column that rows do not have: ${column}`)
}

const secondsPerDay = 86_400
let knownDay = -1
let knownDate = ''

/** Rows mostly share the day of the row before. */
function dateTime(tsSeconds: number): string {
  const day = Math.floor(tsSeconds / secondsPerDay)
  if (day !== knownDay) {
    knownDay = day
    knownDate = new Date(day * secondsPerDay * 1000).toISOString().slice(0, 10)
  }
  const second = tsSeconds - day * secondsPerDay
  const [hours, minutes] = [Math.floor(second / 3600), Math.floor(second / 60) % 60]
  return `${knownDate} ${twoDigits[hours]}:${twoDigits[minutes]}:${twoDigits[second % 60]}`
}

const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))
