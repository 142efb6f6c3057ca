import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type CliEnv, type LogLine, launcher } from './run-cli.js'

/** `./archiver run` in a process of its own, and what it has logged so far. */
export class RunningCli {
  readonly child: ChildProcess
  readonly events: LogLine[] = []
  /** Standard error, without the log lines. */
  text = ''
  readonly exit: Promise<number | null>
  readonly #waiting = new Set<() => void>()

  constructor(args: readonly string[], env: CliEnv, cwd?: string) {
    this.child = spawn(launcher, args, {
      env: { PATH: process.env.PATH, http_listen: 'off', run_interval: '100ms', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd,
    })
    this.exit = new Promise((resolve, reject) => this.child.on('error', reject).on('close', resolve))
    // A pipe, as was asked for.
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.#read(line))
  }

  /** The first line with this event, from `from` on, that also fits. */
  async event(name: string, fits: (line: LogLine) => boolean = () => true, from = 0): Promise<LogLine> {
    for (;;) {
      const found = this.events.slice(from).find((line) => line.event === name && fits(line))
      if (found !== undefined) return found
      const more = new Promise<void>((resolve) => this.#waiting.add(resolve))
      const end = this.exit.then((code) => {
        throw new Error(`exit ${code} before ${name}: ${this.text} ${JSON.stringify(this.events.at(-1))}`)
      })
      await Promise.race([more, end])
    }
  }

  /** @returns the exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.exit
  }

  #read(line: string): void {
    // Each line is an event of the log reporter; anything else is a message for people.
    if (line.startsWith('{')) this.events.push(JSON.parse(line) as LogLine)
    else this.text += `${line}\n`
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }
}
