import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A line of the program's log, as far as tests read it. */
export interface LoggedEvent {
  readonly event: string
  readonly msg: string
  readonly time: string
  readonly archiver?: string
  readonly rows?: number
  readonly batches?: number
  readonly error?: { readonly code: string }
}

export interface LoggingProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** And no others, but `PATH`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/** A program that runs until it is ended, and logs JSON lines on standard error: what it has logged so far. */
export class LoggingProcess {
  readonly child: ChildProcess
  readonly events: LoggedEvent[] = []
  /** Standard error, without the log lines. */
  text = ''
  /** Of the process; null after a signal. */
  readonly exit: Promise<number | null>
  readonly #waiting = new Set<() => void>()

  constructor({ command, args, env, cwd }: LoggingProcessOptions) {
    this.child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd,
    })
    this.exit = new Promise((resolve, reject) => this.child.on('error', reject).on('close', resolve))
    // A pipe, as was asked for.
    createInterface({ input: this.child.stderr! }).on('line', (line) => this.#read(line))
  }

  /**
   * The first line with this event, from number `from` on, that also fits; waits for it.
   *
   * @throws Error where the process ends before.
   */
  async event(name: string, fits: (line: LoggedEvent) => boolean = () => true, from = 0): Promise<LoggedEvent> {
    for (;;) {
      const found = this.events.slice(from).find((line) => line.event === name && fits(line))
      if (found !== undefined) return found
      const more = new Promise<true>((resolve) => this.#waiting.add(() => resolve(true)))
      const code = await Promise.race([more, this.exit])
      if (code === true) continue
      throw new Error(`exit ${code} before ${name}: ${this.text} ${JSON.stringify(this.events.at(-1))}`)
    }
  }

  /** Physical memory now, and the processor time so far. */
  usage(): { readonly rssBytes: number; readonly cpuMs: number } {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'latin1')
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // The kernel counts hundredths of a second on every Linux that Node runs on.
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * 10
    return { rssBytes: Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1024, cpuMs }
  }

  /** Sends a signal. @returns the exit code. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.exit
  }

  #read(line: string): void {
    // Each line is an event of the log reporter; anything else is a message for people.
    if (line.startsWith('{')) this.events.push(JSON.parse(line) as LoggedEvent)
    else this.text += `${line}\n`
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }
}
