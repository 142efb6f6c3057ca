import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '@archiver/testkit'
import { commandInside } from './scratch-root.js'

/** `archiver run` where there is nothing but it. */
export class RunningService implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #base: string
  readonly #ended: Promise<unknown[]>
  #log = ''

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.#base = `http://127.0.0.1:${port}`
    this.#ended = once(child, 'close')
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text
    })
  }

  static async start(root: string, env: Readonly<Record<string, string>>): Promise<RunningService> {
    const port = await freePort()
    const settings = { ...env, http_listen: `127.0.0.1:${port}`, log_format: 'json', run_interval: '1s' }
    return RunningService.of([...(await commandInside(root, settings)), 'run'], port)
  }

  /** Runs these words as a process that answers on the port. */
  static of([command, ...args]: readonly string[], port: number): RunningService {
    return new RunningService(spawn(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] }), port)
  }

  async ask(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.#base + path)
    return { status: response.status, text: await response.text() }
  }

  /** Until it answers so; it must not end meanwhile. */
  async until(path: string, status: number, text: RegExp): Promise<void> {
    const deadline = performance.now() + 60_000
    for (;;) {
      const answer = await this.ask(path).catch((thrown: Error) => ({ status: 0, text: thrown.message }))
      if (answer.status === status && text.test(answer.text)) return
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`${path}: ${answer.status} ${answer.text}\nexit code ${this.#child.exitCode}\n${this.#log}`)
      }
      await delay(50)
    }
  }

  lines(): string[] {
    return this.#log.trimEnd().split('\n')
  }

  lastLine(): string {
    return this.lines().at(-1)!
  }

  /** SIGTERM. @returns the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    await this.#ended
    return this.#child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** A server that passes on what it gets: one that was out of reach, and is there now. */
export async function forward(port: number, to: { readonly host: string; readonly port: number }): Promise<Server> {
  const server = createServer((socket) => {
    const onward = connect(to.port, to.host)
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy())
    onward.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.pipe(onward).pipe(socket)
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}
