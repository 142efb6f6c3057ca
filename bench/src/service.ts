import { setTimeout as delay } from 'node:timers/promises'
import { generateRows, insertRows, LoggingProcess } from '@archiver/testkit'
import type { RowDataPacket } from 'mysql2/promise'
import { type Bed, reset } from './bed.js'
import { repository, sourceVariables } from './launcher.js'
import type { Quiet } from './quiet.js'
import { avroVariables } from './runs.js'
import { percentile } from './statistics.js'

/** `./archiver run` with an Avro folder and a ClickHouse server, `run_interval` as it is by default. */
export interface Service {
  readonly idle: ServiceIdle
  /** While rows arrive. */
  readonly lag: ServiceLag
}

export interface ServiceIdle {
  readonly elapsedMs: number
  /** Share of one core, 0 to 1. */
  readonly cpuShare: number
  /** The most that was seen, after the start. */
  readonly memoryBytes: number
}

/** From the insert of a row to the commit of the batch that holds it in ClickHouse. */
export interface ServiceLag extends ServiceIdle {
  readonly rows: number
  readonly rowsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly longestMs: number
}

export const RUN_INTERVAL_MS = 10_000

/** It has started by then, and what is loaded once is loaded. */
const WARM_UP_MS = 20_000
const ROWS_AN_INSERT = 200
const INSERT_INTERVAL_MS = 100

/**
 * Undefined where there is no ClickHouse server.
 *
 * @param lagMs - how long rows arrive. Half of it before that they do not.
 */
export async function measureService(bed: Bed, quiet: Quiet, lagMs: number): Promise<Service | undefined> {
  if (typeof bed.clickHouse === 'string') return undefined
  await reset(bed, ['fileavro', 'clickhouse'])
  await bed.connection.query('update log_scores_archive_status set log_score_id = (select max(id) from log_scores)')
  const service = start(bed, bed.clickHouse.url)
  try {
    await service.event('service.leading')
    await quiet.wait()
    await delay(Math.min(WARM_UP_MS, lagMs))
    const idle = await watch(service, () => delay(lagMs / 2))
    return { idle, lag: await lagUnderLoad(bed, service, lagMs) }
  } finally {
    await service.end()
    // The rows that arrived, and the marks that point to them.
    await reset(bed, [])
    await bed.connection.query('delete from log_scores where id > ?', [bed.rows])
  }
}

function start(bed: Bed, url: string): LoggingProcess {
  return new LoggingProcess({
    command: `${repository}archiver`,
    args: ['run', '--log-format', 'json'],
    env: {
      ...sourceVariables(bed.database.address),
      ...avroVariables(bed),
      ch_dsn: `${url}/default`,
      http_listen: '127.0.0.1:0',
    },
    cwd: bed.folder,
  })
}

async function watch(service: LoggingProcess, during: () => Promise<unknown>): Promise<ServiceIdle> {
  let memoryBytes = 0
  const timer = setInterval(() => {
    memoryBytes = Math.max(memoryBytes, service.usage().rssBytes)
  }, 1_000)
  const [startedMs, before] = [performance.now(), service.usage()]
  try {
    await during()
    const elapsedMs = performance.now() - startedMs
    return { elapsedMs, cpuShare: (service.usage().cpuMs - before.cpuMs) / elapsedMs, memoryBytes }
  } finally {
    clearInterval(timer)
  }
}

async function lagUnderLoad(bed: Bed, service: LoggingProcess, lagMs: number): Promise<ServiceLag> {
  const arrived: { readonly lastId: bigint; readonly atMs: number }[] = []
  const lagsMs: number[] = []
  const done = new AbortController()
  const inserting = insertUntil(done.signal, bed, arrived)
  const usage = await watch(service, async () => {
    for (const endMs = performance.now() + lagMs; performance.now() < endMs; await delay(50)) {
      const mark = await clickHouseMark(bed)
      while (arrived[0] !== undefined && arrived[0].lastId <= mark)
        lagsMs.push(performance.now() - arrived.shift()!.atMs)
    }
  }).finally(() => done.abort())
  const rows = await inserting
  const [p50Ms, p99Ms, longestMs] = [0.5, 0.99, 1].map((share) => percentile(lagsMs, share)) as [number, number, number]
  return { ...usage, rows, rowsPerSecond: (rows / usage.elapsedMs) * 1000, p50Ms, p99Ms, longestMs }
}

/** 2,000 rows a second. @returns how many rows. */
async function insertUntil(
  done: AbortSignal,
  bed: Bed,
  arrived: { readonly lastId: bigint; readonly atMs: number }[],
): Promise<number> {
  const connection = await bed.database.connect()
  let firstId = BigInt(bed.rows) + 1n
  for (let dueMs = performance.now(); !done.aborted; dueMs += INSERT_INTERVAL_MS) {
    await delay(Math.max(0, dueMs - performance.now()))
    await insertRows(connection, 'log_scores', generateRows({ rows: ROWS_AN_INSERT, firstId, seed: Number(firstId) }))
    firstId += BigInt(ROWS_AN_INSERT)
    arrived.push({ lastId: firstId - 1n, atMs: performance.now() })
  }
  await connection.end()
  return Number(firstId) - bed.rows - 1
}

async function clickHouseMark({ connection }: Bed): Promise<bigint> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "select log_score_id as mark from log_scores_archive_status where archiver = 'clickhouse'",
  )
  return BigInt(rows[0]?.mark ?? 0)
}
