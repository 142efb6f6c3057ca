import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Reply {
  readonly id: number
  readonly text?: string
  readonly error?: string
}

interface Waiting {
  resolve(text: string): void
  reject(error: Error): void
}

/**
 * ClickHouse as the reader of files: no tables, only `file(…)`. It runs in a process of its own, started with the first
 * statement, because a process can hold one embedded engine only, and the test may need it for itself.
 */
export class ClickHouse {
  #child: ChildProcess | undefined
  #nextId = 1
  readonly #waiting = new Map<number, Waiting>()
  #closed = false

  /** @returns the rows as they are in JSONCompactEachRow. @throws Error with ClickHouse's message. */
  async rows(sql: string): Promise<unknown[][]> {
    const text = await this.run(sql)
    const lines = text.split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as unknown[]) // each line is an array in this format
  }

  async run(sql: string): Promise<string> {
    if (this.#closed) throw new Error('ClickHouse is closed')
    const child = this.#running()
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // A process that ends just now breaks the pipe: an error of this statement, not of the program.
      child.send({ id, sql }, (thrown) => thrown && this.#take({ id, error: thrown.message }))
    })
  }

  close(): void {
    this.#closed = true
    this.#child?.kill('SIGKILL')
  }

  #running(): ChildProcess {
    if (this.#child) return this.#child
    const worker = new URL(`./clickhouse-worker${extname(import.meta.url)}`, import.meta.url)
    const child = fork(fileURLToPath(worker), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
    child.unref()
    child.channel?.unref()
    child.on('message', (message) => this.#take(message as Reply)) // only the worker sends
    child.once('exit', (code, signal) => this.#ended(`ClickHouse's process ended (${signal ?? code})`))
    this.#child = child
    return child
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.error === undefined) waiting?.resolve(reply.text ?? '')
    else waiting?.reject(new Error(reply.error))
  }

  #ended(why: string): void {
    this.#child = undefined
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }
}

export function quoted(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
