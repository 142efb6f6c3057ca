import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Fault, faultText } from './fault.js'

export const launcher = fileURLToPath(new URL('../../archiver', import.meta.url))
export const preload = new URL('../dist/preload.js', import.meta.url).href

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** The log lines, parsed. */
  readonly events: readonly LogLine[]
}

/** What the tests read of a log line. */
export interface LogLine {
  readonly event: string
  readonly msg: string
  readonly archiver?: string
  readonly held?: string
  readonly rows?: number
  readonly error?: { readonly code: string }
}

/** What the system keeps the program from. */
export interface Limits {
  /** No file may become larger. */
  readonly maxFileKb?: number
}

/** What is run instead of `archive`. */
export interface Command {
  readonly args?: readonly string[]
}

export type CliEnv = Readonly<Record<string, string | undefined>>

/** The built CLI at work, in a process of its own. */
export class Cli {
  readonly child: ChildProcess & { readonly pid: number }
  readonly done: Promise<CliResult>

  /** Starts `./archiver archive` with these settings and no others, and perhaps a fault that strikes it. */
  constructor(env: CliEnv, fault?: Fault, { maxFileKb, args = ['archive'] }: Limits & Command = {}) {
    const command = maxFileKb === undefined ? 'exec "$0" "$@"' : `ulimit -f ${maxFileKb}; exec "$0" "$@"`
    const faults = fault && { NODE_OPTIONS: `--import=${preload}`, PROOF_FAULT: faultText(fault) }
    const child = spawn('bash', ['-c', command, launcher, ...args], {
      env: { PATH: process.env.PATH, ...env, ...faults },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (child.pid === undefined) throw new Error(`cannot run ${launcher}`)
    // It has a pid: seen above.
    this.child = child as ChildProcess & { readonly pid: number }
    this.done = resultOf(this.child)
  }

  /** Resolves when every thread stands still after a SIGSTOP. */
  async untilStopped(): Promise<void> {
    while (!/\) T/.test(await readFile(`/proc/${this.child.pid}/stat`, 'latin1'))) await delay(5)
  }
}

/** Runs `./archiver archive`, or another command, to its end. */
export function runCli(env: CliEnv, fault?: Fault, limits?: Limits & Command): Promise<CliResult> {
  return new Cli(env, fault, limits).done
}

async function resultOf(child: ChildProcess): Promise<CliResult> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (piece) => {
    stdout += piece
  })
  child.stderr?.setEncoding('utf8').on('data', (piece) => {
    stderr += piece
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, events: logLines(stderr) }))
  })
}

function logLines(stderr: string): LogLine[] {
  // A line that was cut off by a kill is no event.
  const lines = stderr.split('\n').slice(0, -1)
  return lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
}
