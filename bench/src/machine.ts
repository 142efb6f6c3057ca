import { cpus, loadavg, release, totalmem } from 'node:os'
import chdb from 'chdb/package.json' with { type: 'json' }
import type { Bed } from './bed.js'

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly mysql: string
  /** Or why there was none. */
  readonly clickHouse: string
  readonly chdb: string
  /** Over the minute before the measurements. */
  readonly loadBefore: number
}

export function machine({ mysql, clickHouse }: Bed, loadBefore: number): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    mysql: mysql.version,
    clickHouse: typeof clickHouse === 'string' ? clickHouse : clickHouse.version,
    chdb: chdb.version,
    loadBefore,
  }
}

/** How many processes wanted to run, on average over the last minute. */
export function load(): number {
  return loadavg()[0]!
}
