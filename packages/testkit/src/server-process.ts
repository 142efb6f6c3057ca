import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from './errors.js'
import { withServerFolders } from './executables.js'

export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Exists; holds `server.log` and what else the server writes. Removed at the end. */
  readonly folder: string
  /** Let the server shut down in order at the end, because it writes elsewhere too. */
  readonly orderlyStop: boolean
  /** Resolves once the server answers; rejects while it does not. */
  readonly answers: () => Promise<unknown>
  readonly startTimeoutMs?: number
}

/** A server that this process started. */
export type Started<Server> = Server & { readonly process: ServerProcess }

/**
 * A server that lives no longer than this process, however this process ends: a small guard holds a pipe from here,
 * and when that closes it kills the server and removes its folder.
 */
export class ServerProcess {
  readonly #command: ServerCommand
  readonly #guard: ChildProcess & { stdin: Writable }
  #child: ChildProcess | undefined
  #stopped: Promise<void> | undefined
  /** It has answered, and nobody has told it to end. */
  #isExpectedToLive = false

  private constructor(command: ServerCommand) {
    this.#command = command
    this.#guard = spawnGuard(command.folder)
  }

  /** Resolves when the server answers. @throws Error with the end of its log. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    try {
      await server.#launch()
      return server
    } catch (thrown) {
      await server.stop()
      throw thrown
    }
  }

  /** Of the server; another one after {@link restart}. Undefined while it is down. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Stops the server where it is (SIGSTOP); resolves when none of its threads runs. Needs Linux. */
  async freeze(): Promise<void> {
    const { pid } = this
    if (pid === undefined) return
    process.kill(pid, 'SIGSTOP')
    while (!(await isFrozen(pid))) await delay(1)
  }

  /** Lets a frozen server go on (SIGCONT). */
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends the server at once (SIGKILL) or in order (SIGTERM); resolves when it is gone. {@link restart} brings it back. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child) return
    this.#isExpectedToLive = false
    const gone = once(child, 'exit')
    child.ref()
    child.kill(signal)
    child.kill('SIGCONT')
    await gone
  }

  /** The same server again, on the same port and data. Resolves when it answers. */
  async restart(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    await this.kill(signal)
    await this.#launch()
  }

  /** Ends the server and removes its folder. May be called twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await this.kill(this.#command.orderlyStop ? 'SIGTERM' : 'SIGKILL')
    const gone = once(this.#guard, 'exit')
    this.#guard.ref()
    this.#guard.stdin.end()
    await gone
  }

  async #launch(): Promise<void> {
    const { command, args, env, folder } = this.#command
    const log = openSync(join(folder, 'server.log'), 'a')
    const child = spawn(command, args, {
      env: withServerFolders(env),
      cwd: folder,
      stdio: ['ignore', log, log],
      detached: true,
    })
    this.#child = child
    child.once('exit', (code, signal) => {
      this.#forget(child)
      void this.#tellIfUnexpected(child, signal ?? `exit ${code}`)
    })
    child.once('error', () => this.#forget(child))
    this.#guard.stdin.write(`${child.pid ?? ''}\n`)
    closeSync(log)
    child.unref()
    await this.#untilItAnswers()
    this.#isExpectedToLive = true
  }

  /** A test that fails because its server has gone shows the reason next to it. */
  async #tellIfUnexpected({ pid }: ChildProcess, how: string): Promise<void> {
    if (!this.#isExpectedToLive) return
    this.#isExpectedToLive = false
    const what = `${this.#command.command} (${pid}) ended (${how}), and nobody had stopped it.`
    console.error(`${what} The end of its log:\n${await this.logTail()}`)
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#guard.stdin.write('\n')
  }

  async #untilItAnswers(): Promise<void> {
    const deadline = performance.now() + (this.#command.startTimeoutMs ?? 60_000)
    for (;;) {
      if (!this.#child) throw new Error(`${this.#command.command} ended at start:\n${await this.logTail()}`)
      try {
        await this.#command.answers()
        return
      } catch (thrown) {
        const late = `${this.#command.command} does not answer (${messageOf(thrown)}):\n`
        if (performance.now() > deadline) throw new Error(late + (await this.logTail()), { cause: thrown })
      }
      await delay(30)
    }
  }

  /** The last lines the server wrote. */
  async logTail(lines = 15): Promise<string> {
    const text = await readFile(join(this.#command.folder, 'server.log'), 'utf8').catch(() => '')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  }
}

async function isFrozen(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`)
  const stats = await Promise.all(
    threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'latin1').catch(() => ') T')),
  )
  return stats.every((stat) => /\) [Tt]/.test(stat))
}

/** Reads the server's pid, or an empty line when it is gone, until the pipe closes. A session of its own survives Ctrl-C. */
function spawnGuard(folder: string): ChildProcess & { stdin: Writable } {
  const script = `pid=
    while read -r line; do pid=$line; done
    [ -z "$pid" ] || kill -9 "$pid"
    rm -rf -- "$1"`
  const guard = spawn('/bin/sh', ['-c', script, 'guard', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.stdin.on('error', () => {}) // a guard that was killed leaves nothing to tell
  guard.unref()
  unrefPipe(guard.stdin)
  return guard
}

function unrefPipe(pipe: Writable): void {
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}
