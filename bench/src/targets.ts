import type { BatchMemory } from './flatness.js'
import type { Idle } from './idle.js'
import type { Result } from './main-runs.js'
import { megabytes } from './text.js'

/** What must be reached, and what was. */
export interface Target {
  readonly what: string
  readonly limit: string
  readonly measured: string
  readonly reached: boolean
}

export interface Figures {
  readonly results: readonly Result[]
  readonly flat: readonly BatchMemory[]
  readonly idle: readonly Idle[]
}

/** Only those for which there are figures. */
export function targets({ results, flat, idle }: Figures): Target[] {
  const avro = results.find(({ name }) => name === 'Avro file')
  const server = results.find(({ name }) => name === 'ClickHouse server')
  return [
    atLeast('Avro file, rate to the drain', 0.9, avro?.ratio),
    atMostMegabytes('Avro file, memory', 128, avro?.peakBytes),
    atLeast('ClickHouse server, rate to the drain', 0.65, server?.ratio),
    atMostMegabytes('ClickHouse server, memory', 200, server?.peakBytes),
    ...flat.map(({ rows, peakBytes }) =>
      atMostMegabytes(`one batch of ${rows.toLocaleString('en-US')} rows, memory`, 128, peakBytes),
    ),
    atMostMegabytes('difference between these batches', 10, difference(flat)),
    ...idle.map(({ name, wallMs }) => {
      const [what, measured] = [`nothing to do, ${name}`, `${Math.round(wallMs)} ms`]
      return { what, limit: '≤ 300 ms', measured, reached: wallMs <= 300 }
    }),
  ].filter((target) => target !== undefined)
}

function atLeast(what: string, limit: number, value: number | undefined): Target | undefined {
  if (value === undefined) return undefined
  return { what, limit: `≥ ${limit.toFixed(2)}`, measured: value.toFixed(2), reached: value >= limit }
}

function atMostMegabytes(what: string, limit: number, bytes: number | undefined): Target | undefined {
  if (bytes === undefined) return undefined
  return { what, limit: `≤ ${limit} MB`, measured: `${megabytes(bytes)} MB`, reached: bytes <= limit * 1_048_576 }
}

function difference(flat: readonly BatchMemory[]): number | undefined {
  const [small, large] = flat.map(({ peakBytes }) => peakBytes)
  return small === undefined || large === undefined ? undefined : Math.abs(large - small)
}
