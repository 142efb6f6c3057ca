import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from 'mysql2/promise'
import { percentile } from './statistics.js'

/** How long inserts took, one by one. */
export interface Latencies {
  readonly inserts: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly longestMs: number
}

/** A hundred a second: some times what the monitors of the NTP Pool write. */
const INTERVAL_MS = 10

/**
 * Inserts a row of this moment at a steady pace, each as a transaction of its own, for as long as something else works.
 * An insert that has to wait for the one before it counts from when it was due.
 *
 * @param connection used for nothing else meanwhile
 */
export async function insertDuring<Result>(
  connection: Connection,
  table: string,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly latencies: Latencies }> {
  const done = new AbortController()
  const [latenciesMs, result] = await Promise.all([
    insertUntil(done.signal, connection, table),
    work().finally(() => done.abort()),
  ])
  return { result, latencies: latenciesOf(latenciesMs) }
}

async function insertUntil(done: AbortSignal, connection: Connection, table: string): Promise<number[]> {
  const latenciesMs: number[] = []
  let dueMs = performance.now()
  do {
    const earlyMs = dueMs - performance.now()
    if (earlyMs > 0) await delay(earlyMs)
    const startedMs = earlyMs > 0 ? performance.now() : dueMs
    await insertRow(connection, table)
    latenciesMs.push(performance.now() - startedMs)
    dueMs += INTERVAL_MS
  } while (!done.aborted)
  return latenciesMs
}

async function insertRow(connection: Connection, table: string): Promise<void> {
  const server = 1 + Math.floor(Math.random() * 5000)
  await connection.execute(
    `insert into \`${table}\` (monitor_id, server_id, ts, score, step, \`offset\`, rtt, attributes)
     values (7, ?, utc_timestamp(), 19.5, 1, 0.00125, 20500, '{"leap":0}')`,
    [server],
  )
}

function latenciesOf(latenciesMs: readonly number[]): Latencies {
  return {
    inserts: latenciesMs.length,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    longestMs: percentile(latenciesMs, 1),
  }
}
