import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** A program to run as a process of its own. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Where its standard output goes. Default: into {@link Measured.stdout}. */
  readonly outputFile?: string
  /** Its standard output is read from a pipe and dropped. */
  readonly dropOutput?: boolean
  /** Ends the program. */
  readonly signal?: AbortSignal
  /** Its standard error goes straight to ours. */
  readonly showErrors?: boolean
}

export interface Measured {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  /** What came through the pipe. */
  readonly stdoutBytes: number
  readonly stderr: string
  /** From the start of the process to its end. */
  readonly wallMs: number
  /** The most physical memory it held, as the kernel accounts it; undefined where there is no /proc. */
  readonly peakBytes: number | undefined
}

const PEAK_INTERVAL_MS = 10

/** Runs a program to its end. @throws Error when it cannot be started (`code` is ENOENT where there is none). */
export async function measure({ command, args, outputFile, showErrors, ...rest }: Program): Promise<Measured> {
  const { dropOutput = false, ...options } = rest
  const output = outputFile === undefined ? 'pipe' : openSync(outputFile, 'w')
  const startedMs = performance.now()
  const child = spawn(command, args, { ...options, stdio: ['ignore', output, showErrors ? 'inherit' : 'pipe'] })
  const peak = new PeakMemory(child)
  try {
    const [[stdout, stdoutBytes], stderr, [exitCode]] = await Promise.all([
      child.stdout ? taken(child.stdout, dropOutput) : (['', 0] as const),
      child.stderr ? text(child.stderr) : '',
      // An 'error' event, for a program that cannot be started, rejects.
      once(child, 'close') as Promise<[number | null]>, // what child_process documents of its 'close' event
    ])
    return { exitCode, stdout, stdoutBytes, stderr, wallMs: performance.now() - startedMs, peakBytes: peak.stop() }
  } finally {
    peak.stop()
    if (typeof output === 'number') closeSync(output)
  }
}

/** What comes, or nothing of it; and how many bytes. */
async function taken(stream: Readable, drop: boolean): Promise<readonly [text: string, bytes: number]> {
  let bytes = 0
  stream.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  if (!drop) return [await text(stream), bytes]
  await once(stream, 'end')
  return ['', bytes]
}

/**
 * VmHWM of a running process: the kernel's own high-water mark, which only rises, looked at until the process is gone.
 * (`ru_maxrss` would not do: it keeps what the parent held at the fork, across the exec.)
 */
class PeakMemory {
  readonly #child: ChildProcess
  readonly #timer: NodeJS.Timeout
  #bytes: number | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.#timer = setInterval(() => this.#look(), PEAK_INTERVAL_MS)
  }

  stop(): number | undefined {
    clearInterval(this.#timer)
    return this.#bytes
  }

  #look(): void {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1')
      const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]
      if (kilobytes !== undefined) this.#bytes = Number(kilobytes) * 1024
    } catch {
      // The process is gone, or this machine has no /proc.
    }
  }
}
