import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { runCleanup } from '@archiver/cleanup'
import { type Archiver, ArchiverError, type FaultPoint } from '@archiver/core'
import { runPass } from '@archiver/core/engine'
import { MySqlCleanupSource, MySqlLedger, MySqlLock, MySqlSource } from '@archiver/mysql'
import type { ArchiverName } from '../archives.js'
import { hookFaults } from '../fault.js'
import { OPEN } from './archivers.js'
import { RETENTION_DAYS } from './deletions.js'
import type { RunnerMessage, RunOrder } from './order.js'
import { isWaitedFor, type PlannedTrouble } from './troubles.js'

/** A worker makes passes until it dies: its end is as sudden as a process's, and closes its sockets and files likewise. */
const port = parentPort!
/** Nobody ever wakes it. */
const clock = new Int32Array(workerData as SharedArrayBuffer)

const RETRY = { attempts: 3, firstDelayMs: 20, maxDelayMs: 60 }

type OnEvent = (event: object) => void

// Between two passes nothing else keeps a worker.
setInterval(() => undefined, 2 ** 30)
for (;;) {
  const [order] = (await once(port, 'message')) as [RunOrder]
  say(await perform(order))
}

function say(message: RunnerMessage): void {
  port.postMessage(message)
}

async function perform(order: RunOrder): Promise<RunnerMessage> {
  const log: string[] = []
  arm(order)
  try {
    const failed = await pass(order, (event) => log.push(eventText(event)))
    return { say: 'ended', log, failures: [...failed.values()].map(errorText) }
  } catch (error) {
    return { say: 'ended', log, failures: [errorText(error)] }
  }
}

async function pass(order: RunOrder, onEvent: OnEvent): Promise<ReadonlyMap<string, Error>> {
  const { mysql: settings, table, lockTimes: times, settings: run, places } = order
  // A worker has an environment of its own.
  process.env.GOOGLE_APPLICATION_CREDENTIALS = places.cloud?.keyFile ?? ''
  await using lock = await MySqlLock.take({ settings, name: `proof-${table}`, timeoutMs: 10_000, times })
  await using source = new MySqlSource({ settings, table, pageRows: run.pageRows })
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare()
  const only = [...order.archivers, ...(order.cleanerAsks === undefined ? [] : ['cleanup'])]
  const open = async (name: string): Promise<Archiver> => OPEN[name as ArchiverName](order) // `only` names no other
  const bench = { table, ledger, source, lease: lock, open, settleMs: run.settleMs }
  const chores = { cleanup: () => clean(order, bench, lock.connection, onEvent) }
  const { failed } = await runPass({ ...bench, chores, only, retry: RETRY, onEvent })
  return failed
}

type CleanerBench = Pick<
  Parameters<typeof runCleanup>[0],
  'table' | 'ledger' | 'source' | 'lease' | 'open' | 'settleMs'
>

async function clean(
  { mysql, cleanerAsks, settings }: RunOrder,
  bench: CleanerBench,
  connection: MySqlLock['connection'],
  onEvent: OnEvent,
): Promise<void> {
  const often = { intervalMs: 0, reducedIntervalMs: 0, pauseMs: 0 }
  await runCleanup({
    ...bench,
    database: new MySqlCleanupSource({ connection, settings: mysql, table: bench.table }),
    policy: { retentionDays: RETENTION_DAYS, maxRows: settings.mostDeleted, verify: cleanerAsks ?? 'count', ...often },
    throttle: { maxLagMs: 0 },
    onEvent,
    onEngineEvent: onEvent,
  })
}

function arm({ trouble, freezeMs }: RunOrder): void {
  let passes = 0
  let lastPoint: FaultPoint | undefined
  hookFaults(async (point) => {
    // In a worker this ends the thread, not the process.
    if (point === lastPoint) process.exit()
    if (trouble === undefined || point !== trouble.point || ++passes !== trouble.pass) return
    await strike(trouble, freezeMs)
    // The job is there, and runs on.
    if (trouble.trouble === 'hold job') lastPoint = 'bigquery.sent'
  })
}

async function strike(planned: PlannedTrouble, freezeMs: number): Promise<void> {
  const { trouble } = planned
  const waits = isWaitedFor(planned)
  say({ say: 'struck', trouble: planned, waits })
  if (trouble === 'crash') process.exit()
  if (trouble === 'freeze') Atomics.wait(clock, 0, 0, freezeMs)
  else if (waits) await once(port, 'message')
}

function eventText(event: object): string {
  return JSON.stringify(event, (key, value: unknown) => {
    if (key === 'idHash' || key === 'elapsedMs') return undefined
    if (value instanceof Error) return errorText(value)
    return typeof value === 'bigint' ? Number(value) : value
  })
}

function errorText(error: unknown): string {
  return error instanceof ArchiverError ? `${error.code}: ${error.message}` : String(error)
}
