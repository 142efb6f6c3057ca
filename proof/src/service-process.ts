import { setTimeout as delay } from 'node:timers/promises'
import { insertRows, LoggingProcess, type MySqlDatabase } from '@archiver/testkit'
import type { Connection } from 'mysql2/promise'
import { type CliEnv, launcher, preload } from './cli.js'
import { type Fault, faultText } from './fault.js'
import { oddRows } from './rows.js'

/** Scaled: ten seconds by default. */
export const RUN_INTERVAL_MS = 300

/** Starts `./archiver run` with these settings and no others, and perhaps a fault that strikes it. */
export function startService(env: CliEnv, { args = [], fault }: StartOptions = {}): LoggingProcess {
  const faults = fault && { NODE_OPTIONS: `--import=${preload}`, PROOF_FAULT: faultText(fault) }
  const settings = { http_listen: 'off', run_interval: `${RUN_INTERVAL_MS}ms`, ...env, ...faults }
  return new LoggingProcess({ command: launcher, args: ['run', ...args], env: settings })
}

interface StartOptions {
  readonly args?: readonly string[]
  readonly fault?: Fault
}

/** So many rows at once, so often. */
export interface Pace {
  readonly rows: number
  readonly intervalMs: number
}

/** Rows that arrive for as long as it is there. */
export class Arrivals implements AsyncDisposable {
  readonly #connection: Connection
  readonly #pace: Pace
  readonly #work: Promise<void>
  /** When what had arrived, on the monotonic clock; oldest first. */
  readonly #arrived: { readonly lastId: bigint; readonly atMs: number }[] = []
  #ended = false
  #nextId: bigint

  private constructor(connection: Connection, nextId: bigint, pace: Pace) {
    this.#connection = connection
    this.#nextId = nextId
    this.#pace = pace
    this.#work = this.#insert()
  }

  /** Some hundred rows a second, if `pace` does not say otherwise. */
  static async into(database: MySqlDatabase, nextId: bigint, pace = { rows: 25, intervalMs: 40 }): Promise<Arrivals> {
    return new Arrivals(await database.connect(), nextId, pace)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#work
    await this.#connection.end()
  }

  /** How long ago the rows up to `id` arrived of which this was not asked before, in milliseconds. */
  lagsUpTo(id: bigint): number[] {
    const upTo = this.#arrived.findIndex(({ lastId }) => lastId > id)
    const nowMs = performance.now()
    return this.#arrived.splice(0, upTo < 0 ? this.#arrived.length : upTo).map(({ atMs }) => nowMs - atMs)
  }

  async #insert(): Promise<void> {
    const { rows, intervalMs } = this.#pace
    for (let dueMs = performance.now(); !this.#ended; dueMs += intervalMs) {
      await delay(Math.max(0, dueMs - performance.now()))
      const firstId = this.#nextId
      this.#nextId += BigInt(rows)
      await insertRows(this.#connection, 'log_scores', oddRows({ rows, seed: Number(firstId), firstId }))
      this.#arrived.push({ lastId: this.#nextId - 1n, atMs: performance.now() })
    }
  }
}
