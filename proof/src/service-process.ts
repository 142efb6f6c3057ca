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

/** Rows that arrive for as long as it is there. */
export class Arrivals implements AsyncDisposable {
  readonly #connection: Connection
  readonly #work: Promise<void>
  #ended = false
  #nextId: bigint

  private constructor(connection: Connection, nextId: bigint) {
    this.#connection = connection
    this.#nextId = nextId
    this.#work = this.#insert()
  }

  static async into(database: MySqlDatabase, nextId: bigint): Promise<Arrivals> {
    return new Arrivals(await database.connect(), nextId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#work
    await this.#connection.end()
  }

  /** Some hundred rows a second. */
  async #insert(): Promise<void> {
    while (!this.#ended) {
      const rows = 25
      await insertRows(
        this.#connection,
        'log_scores',
        oddRows({ rows, seed: Number(this.#nextId), firstId: this.#nextId }),
      )
      this.#nextId += BigInt(rows)
      await delay(40)
    }
  }
}
