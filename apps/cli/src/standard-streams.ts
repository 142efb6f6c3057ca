import { writeSync } from 'node:fs'
import { ArchiverError, errorText, harmlessLines } from '@archiver/core'

const PAUSE_MS = 5
/** A reader of the log that takes nothing for so long loses lines: the work does not wait for it. */
const LOG_WAIT_MS = 1_000

/** @returns how many bytes were written. */
type WriteSome = (descriptor: number, bytes: Uint8Array, at: number) => number

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Standard output or standard error. What is written is with the system when the call returns, or was lost. */
export class StandardStream {
  /** Lines that could not be written. */
  lostLines = 0
  /** Why the last of them could not. */
  failure: NodeJS.ErrnoException | undefined
  #isStuck = false
  readonly #descriptor: number
  readonly #maxWaitMs: number
  readonly #write: WriteSome

  /** @param maxWaitMs - how long to wait for a reader who takes nothing, where the system does not wait itself. */
  constructor(descriptor: number, maxWaitMs: number, write: WriteSome = writeSync) {
    this.#descriptor = descriptor
    this.#maxWaitMs = maxWaitMs
    this.#write = write
  }

  /** Writes text as it is. Never throws. @returns whether all of it was written. */
  readonly write = (text: string): boolean => {
    try {
      this.#writeAll(Buffer.from(text), this.#isStuck ? 0 : this.#maxWaitMs)
      this.#isStuck = false
      return true
    } catch (error) {
      this.#isStuck = true
      this.failure = error as NodeJS.ErrnoException // fs throws nothing else
      this.lostLines += Math.max(1, text.split('\n').length - 1)
      return false
    }
  }

  /** Writes lines of this program, with texts of others in them. */
  readonly line = (text: string): void => {
    this.write(`${harmlessLines(text)}\n`)
  }

  #writeAll(bytes: Uint8Array, maxWaitMs: number): void {
    let waitedMs = 0
    for (let at = 0; at < bytes.length; ) {
      try {
        at += this.#write(this.#descriptor, bytes, at)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException // fs throws nothing else
        if (code !== 'EAGAIN' || waitedMs >= maxWaitMs) throw error
        Atomics.wait(sleeper, 0, 0, PAUSE_MS)
        waitedMs += PAUSE_MS
      }
    }
  }
}

/** Without a limit: a pipe that is full fills no log, and its reader wants everything. */
export const standardOutput = new StandardStream(1, Number.POSITIVE_INFINITY)
export const standardError = new StandardStream(2, LOG_WAIT_MS)

/** For people or programs that asked for it. */
export const printLine = standardOutput.line
/** For people: messages beside the output. */
export const printError = standardError.line

/** The first output that was lost, unless its reader closed it (`| head`). */
export function outputFailure({ lostLines, failure } = standardOutput): ArchiverError | undefined {
  if (lostLines === 0 || failure === undefined || failure.code === 'EPIPE') return undefined
  return outputError('standard output', failure)
}

/** Output that could not be written. */
export function outputError(where: string, error: unknown): ArchiverError {
  return new ArchiverError(`cannot write to ${where}: ${errorText(error)}`, { code: 'OUTPUT_FAILED', cause: error })
}
