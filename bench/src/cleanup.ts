import { setTimeout as delay } from 'node:timers/promises'
import { createSourceTables, dropTables, fillTable, generateRows } from '@archiver/testkit'
import { type Bed, reset } from './bed.js'
import { insertDuring, type Latencies } from './inserts.js'
import type { Variables } from './launcher.js'
import type { Quiet } from './quiet.js'
import { archive, archiver, avroVariables, highestPeak, type LogEvent, logEvents } from './runs.js'
import { type LoggedStatement, longestStatementOf } from './slow-log.js'

/** What it takes to delete a backlog of old rows, and what others notice of it. */
export interface Cleanup extends Deletions {
  readonly rows: number
  readonly longestStatement: LoggedStatement | undefined
  /** Of a row each, without the cleaner and with it. */
  readonly inserts: { readonly without: Latencies; readonly with: Latencies }
}

interface Deletions {
  /** Of all passes that it took, whole processes. */
  readonly wallMs: number
  readonly passes: number
  readonly transactions: number
  readonly longestTransactionMs: number
  readonly peakBytes: number | undefined
}

const table = 'bench_cleanup'

/** Rows that are left after so many passes are a defect. */
const MOST_PASSES = 10

/**
 * Deletes so many old rows, all of them in Avro files, with `./archiver archive --only cleanup`, while new rows are
 * inserted. The server flushes to disk at every commit meanwhile, as one in earnest does.
 */
export async function cleanup(bed: Bed, rows: number, quiet: Quiet): Promise<Cleanup> {
  const { connection, database } = bed
  const variables = await archiveOldRows(bed, rows)
  const inserting = await database.connect()
  await connection.query('set global innodb_flush_log_at_trx_commit = 1')
  try {
    await quiet.wait()
    const { latencies: without } = await insertDuring(inserting, table, () => delay(Math.min(10_000, rows / 100)))
    const deleteAll = () => deleteOldRows(bed, rows, variables)
    const { result, longest } = await longestStatementOf(connection, () => insertDuring(inserting, table, deleteAll))
    const inserts = { without, with: result.latencies }
    return { rows, ...result.result, longestStatement: longest, inserts }
  } finally {
    inserting.destroy()
    await connection.query('set global innodb_flush_log_at_trx_commit = 0')
    await dropTables(connection, table)
  }
}

/** Rows of forty days ago, and a young one, to which the mark points. @returns the settings they were archived with. */
async function archiveOldRows(bed: Bed, rows: number): Promise<Variables> {
  const { connection } = bed
  await createSourceTables(connection, { table })
  const startSeconds = Math.floor(Date.now() / 1000) - 40 * 86_400
  await fillTable(connection, table, generateRows({ rows, startSeconds }))
  await connection.query(`insert into \`${table}\` (server_id, ts) values (1, utc_timestamp())`)
  await reset(bed, ['fileavro'], table)
  const variables = { ...avroVariables(bed), batch_avro_max_size: String(Math.ceil(rows / 4)) }
  const stored = await archive(bed, { variables, table })
  if (stored.rows !== rows + 1) throw new Error(`${table}: ${stored.rows} rows stored of ${rows + 1}`)
  await connection.query(`insert into \`${table}_archive_status\` (archiver) values ('cleanup')`)
  return variables
}

/** As many at once as may be, and a pass after the other: what one would wait for, if it had to be done at once. */
const ofCleanup: Variables = {
  cleanup_batch_size: '100000000',
  cleanup_default_interval: '0s',
  cleanup_reduced_interval: '0s',
  cleanup_max_lag: '0',
  cleanup_verify: 'count',
}

async function deleteOldRows(bed: Bed, rows: number, archived: Variables): Promise<Deletions> {
  const variables = { ...archived, ...ofCleanup }
  const passes = []
  const deleted: Deleted[] = []
  while (rowsOf(deleted) < rows) {
    if (passes.length === MOST_PASSES) throw new Error(`${table}: ${rowsOf(deleted)} rows deleted of ${rows}`)
    const pass = await archiver(bed, ['archive', '--only', 'cleanup', '--log-format', 'json'], { variables, table })
    passes.push(pass)
    deleted.push(...logEvents(pass.stderr).filter(isDeleted))
  }
  return {
    wallMs: passes.reduce((sum, { wallMs }) => sum + wallMs, 0),
    passes: passes.length,
    transactions: deleted.length,
    longestTransactionMs: Math.max(...deleted.map(({ elapsedMs }) => elapsedMs)),
    peakBytes: highestPeak(passes),
  }
}

/** As @archiver/cleanup tells of a transaction. */
interface Deleted extends LogEvent {
  readonly rows: number
  readonly elapsedMs: number
}

function isDeleted(event: LogEvent): event is Deleted {
  return event.event === 'cleanup.deleted'
}

function rowsOf(deleted: readonly Deleted[]): number {
  return deleted.reduce((sum, { rows }) => sum + rows, 0)
}
