import type { Cleanup } from './cleanup.js'
import type { BatchMemory } from './flatness.js'
import type { Idle } from './idle.js'
import { asNdjson } from './read.js'
import { restoreNames } from './restore.js'
import type { Result } from './results.js'
import { RUN_INTERVAL_MS, type Service } from './service.js'
import { count, megabytes } from './text.js'
import { bySums, rowByRow } from './verify.js'

/** What must be reached, and what was. */
export interface Target {
  readonly what: string
  readonly limit: string
  readonly measured: string
  readonly reached: boolean
}

/** What was measured; a part that was left out has no figures. */
export interface Figures {
  readonly results: readonly Result[]
  readonly verify: readonly Result[]
  readonly restore: readonly Result[]
  readonly read: readonly Result[]
  readonly cleanup: Cleanup | undefined
  readonly flat: readonly BatchMemory[]
  readonly idle: readonly Idle[]
  readonly service?: Service | undefined
}

/** Only those for which there are figures. */
export function targets({ results, verify, restore, read, cleanup, flat, idle, service }: Figures): Target[] {
  return [
    ...rateAndMemory(results, 'Avro file', 0.9, 128),
    ...rateAndMemory(results, 'ClickHouse server', 0.65, 200),
    ...rateAndMemory(results, 'Cloud Storage, one object', 0.6, 200),
    ...rateAndMemory(results, 'BigQuery, one load', 0.6, 200),
    ...flat.map(({ rows, peakBytes }) => atMostMegabytes(`one batch of ${count(rows)} rows, memory`, 128, peakBytes)),
    atMostMegabytes('difference between these batches', 10, difference(flat)),
    ...idle.map(({ name, wallMs }) => atMostMs(`nothing to do, ${name}`, 300, wallMs)),
    ...verifyTargets(verify),
    ...restoreNames.map((name) => atLeast(`${name}, rate to LOAD DATA`, 0.5, ratioIn(restore, name))),
    ...rateAndMemory(read, asNdjson.name, 0.5, 200),
    atMost('service with nothing to do, CPU', 0.01, service?.idle.cpuShare, percent),
    atMostMegabytes('service with nothing to do, memory', 140, service?.idle.memoryBytes),
    atMostMs('service, p99 of the lag of ClickHouse', 2 * RUN_INTERVAL_MS, service?.lag.p99Ms),
    atMostMs('cleanup, longest statement', 1000, cleanup?.longestStatement?.elapsedMs),
  ].filter((target) => target !== undefined)
}

type Possible = Target | undefined

function rateAndMemory(results: readonly Result[], name: string, leastRatio: number, mostMb: number): Possible[] {
  const result = results.find((one) => one.name === name)
  return [
    atLeast(`${name}, rate to the drain`, leastRatio, result?.ratio),
    atMostMegabytes(`${name}, memory`, mostMb, result?.peakBytes),
  ]
}

function verifyTargets(verify: readonly Result[]): Possible[] {
  const ratioOf = (name: string) => ratioIn(verify, name)
  const sums = ratioOf(bySums.name)
  return [
    atMost(`${bySums.name}, time to the drain`, 1, sums && 1 / sums, (ratio) => ratio.toFixed(2)),
    atLeast(`${rowByRow.name}, rate to the drain`, 0.5, ratioOf(rowByRow.name)),
  ]
}

function ratioIn(results: readonly Result[], name: string): number | undefined {
  return results.find((result) => result.name === name)?.ratio
}

function atLeast(what: string, limit: number, value: number | undefined): Possible {
  if (value === undefined) return undefined
  return { what, limit: `≥ ${limit.toFixed(2)}`, measured: value.toFixed(2), reached: value >= limit }
}

function atMost(what: string, limit: number, value: number | undefined, text: (value: number) => string): Possible {
  if (value === undefined) return undefined
  return { what, limit: `≤ ${text(limit)}`, measured: text(value), reached: value <= limit }
}

function atMostMegabytes(what: string, limitMb: number, bytes: number | undefined): Possible {
  return atMost(what, limitMb * 1_048_576, bytes, (value) => `${megabytes(value)} MB`)
}

function atMostMs(what: string, limitMs: number, ms: number | undefined): Possible {
  return atMost(what, limitMs, ms, (value) => `${count(value)} ms`)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`
}

function difference(flat: readonly BatchMemory[]): number | undefined {
  const [small, large] = flat.map(({ peakBytes }) => peakBytes)
  return small === undefined || large === undefined ? undefined : Math.abs(large - small)
}
