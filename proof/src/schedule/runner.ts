import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { createClickHouseArchiver } from '@archiver/clickhouse'
import { type Archiver, ArchiverError } from '@archiver/core'
import { type EngineEvent, runPass } from '@archiver/core/engine'
import { MySqlLedger, MySqlLock, MySqlSource } from '@archiver/core/mysql'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { hookFaults } from '../fault.js'
import type { RunnerMessage, RunOrder } from './order.js'
import type { PlannedTrouble } from './schedule.js'

/** A worker makes passes until it dies: its end is as sudden as a process's, and closes its sockets and files likewise. */
const port = parentPort!
/** Nobody ever wakes it. */
const clock = new Int32Array(workerData as SharedArrayBuffer)

const RETRY = { attempts: 3, firstDelayMs: 20, maxDelayMs: 60 }

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

async function pass(order: RunOrder, onEvent: (event: EngineEvent) => void): Promise<ReadonlyMap<string, Error>> {
  const { mysql: settings, table, archivers: only, lockTimes: times, settings: run } = order
  await using lock = await MySqlLock.take({ settings, name: `proof-${table}`, timeoutMs: 10_000, times })
  await using source = new MySqlSource({ settings, table, pageRows: run.pageRows })
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare()
  const open = async (name: string) => archiverOf(name, order)
  const { failed } = await runPass({
    table,
    ledger,
    source,
    permit: lock,
    open,
    only,
    settleMs: run.settleMs,
    retry: RETRY,
    onEvent,
  })
  return failed
}

function archiverOf(name: string, { settings, folder, dsn, takeoverWaitMs, table }: RunOrder): Archiver {
  const { minRows, maxRows, codec, rowsPerBlock, smallParts } = settings
  const batch = { minRows, maxRows, intervalMs: 0 }
  if (name === 'fileavro') return createFileAvroArchiver({ path: folder, batch, codec, rowsPerBlock, scope: table })
  const parts = smallParts ? '&min_insert_block_size_rows=1&min_insert_block_size_bytes=1' : ''
  return createClickHouseArchiver({ dsn: dsn + parts, batch, takeoverWaitMs })
}

function arm({ trouble, freezeMs }: RunOrder): void {
  let passes = 0
  hookFaults(async (point) => {
    if (trouble === undefined || point !== trouble.point || ++passes !== trouble.pass) return
    await strike(trouble, freezeMs)
  })
}

async function strike(planned: PlannedTrouble, freezeMs: number): Promise<void> {
  const { trouble } = planned
  say({ say: 'struck', trouble: planned, waits: trouble !== 'crash' && trouble !== 'freeze' })
  // In a worker this ends the thread, not the process.
  if (trouble === 'crash') process.exit()
  if (trouble === 'freeze') Atomics.wait(clock, 0, 0, freezeMs)
  else await once(port, 'message')
}

function eventText(event: EngineEvent): string {
  return JSON.stringify(event, (key, value: unknown) => {
    if (key === 'idHash' || key === 'elapsedMs') return undefined
    if (value instanceof Error) return errorText(value)
    return typeof value === 'bigint' ? Number(value) : value
  })
}

function errorText(error: unknown): string {
  return error instanceof ArchiverError ? `${error.code}: ${error.message}` : String(error)
}
