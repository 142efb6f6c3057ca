import { type Connection, escape as escapeText, type RowDataPacket } from 'mysql2/promise'
import type { SourceRow } from './rows.js'

const rowsPerStatement = 5_000
const statementsPerTransaction = 20

/**
 * Writes rows into a source table in bulk; a table without `rtt` or `attributes` loses those values. Rows are
 * committed every 100,000, and at the end. With `unique_checks` off: ids must not be there yet.
 */
export async function insertRows(connection: Connection, table: string, rows: Iterable<SourceRow>): Promise<void> {
  const columns = await columnsOf(connection, table)
  const insert = `insert into \`${table}\` (${columns.map((name) => `\`${name}\``)}) values `
  const texts = columns.map((name) => sqlText[name]!)
  await connection.query('set unique_checks = 0')
  let statements = 0
  for (const page of pages(rows, rowsPerStatement)) {
    if (statements % statementsPerTransaction === 0) await connection.query('start transaction')
    await connection.query(insert + page.map((row) => `(${texts.map((text) => text(row)).join()})`).join())
    if (++statements % statementsPerTransaction === 0) await connection.query('commit')
  }
  await connection.query('commit')
  await connection.query('set unique_checks = 1')
}

async function columnsOf(connection: Connection, table: string): Promise<string[]> {
  const [described] = await connection.query<RowDataPacket[]>(`describe \`${table}\``)
  const present = new Set(described.map((column) => column.Field))
  return Object.keys(sqlText).filter((column) => present.has(column))
}

function* pages<T>(values: Iterable<T>, size: number): Generator<T[]> {
  let page: T[] = []
  for (const value of values) {
    if (page.push(value) < size) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

const sqlText: Readonly<Record<string, (row: SourceRow) => string>> = {
  id: (row) => `${row.id}`,
  monitor_id: (row) => `${row.monitorId}`,
  server_id: (row) => `${row.serverId}`,
  ts: (row) => dateTime(row.tsSeconds),
  score: (row) => `${row.score}`,
  step: (row) => `${row.step}`,
  offset: (row) => `${row.offset}`,
  rtt: (row) => `${row.rtt}`,
  attributes: (row) => quoted(row.attributes),
}

const secondsOfDay = 86_400
let knownDay = -1
let knownDate = ''

/** A literal, because FROM_UNIXTIME ends in 2038. Rows mostly share the day of the row before. */
function dateTime(tsSeconds: number): string {
  const day = Math.floor(tsSeconds / secondsOfDay)
  if (day !== knownDay) {
    knownDay = day
    knownDate = new Date(day * secondsOfDay * 1000).toISOString().slice(0, 10)
  }
  const second = tsSeconds - day * secondsOfDay
  return `'${knownDate} ${twoDigits[Math.floor(second / 3600)]}:${twoDigits[Math.floor(second / 60) % 60]}:${twoDigits[second % 60]}'`
}

const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))

const quotedTexts = new Map<string, string>()

/** The same few texts come again and again; the rest is not kept. */
function quoted(text: string | null): string {
  if (text === null) return 'null'
  const known = quotedTexts.get(text)
  if (known !== undefined) return known
  const fresh = escapeText(text)
  if (quotedTexts.size < 1000) quotedTexts.set(text, fresh)
  return fresh
}
