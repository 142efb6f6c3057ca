import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ArchiverError, errorText } from '@archiver/core'

/** Where rows are written to. */
export interface Output extends AsyncDisposable {
  /** Resolves when the bytes may be used for something else. */
  write(bytes: Uint8Array): Promise<void>
  /** Without it, nothing is left of a file. */
  finish(): Promise<void>
  /** Whether whoever read has had enough (`| head`). */
  readonly isClosedByReader: boolean
}

/**
 * @param path - undefined for standard output.
 * @param signal - ends a write that waits for a reader who stands still.
 * @throws ArchiverError for a file that cannot be written.
 */
export async function openOutput(path: string | undefined, signal: AbortSignal): Promise<Output> {
  return path === undefined ? new StandardOutput(signal) : FileOutput.create(path)
}

class StandardOutput implements Output {
  isClosedByReader = false
  readonly #stream = process.stdout
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    // Each write hears of its own error. The listener stays: of a closed pipe one may hear late.
    this.#stream.on('error', () => undefined)
  }

  write(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = () => reject(this.#signal.reason)
    this.#signal.addEventListener('abort', stop, { once: true })
    this.#stream.write(bytes, (error) => {
      this.#signal.removeEventListener('abort', stop)
      // Streams fail with errors of the system.
      this.isClosedByReader ||= (error as NodeJS.ErrnoException | null | undefined)?.code === 'EPIPE'
      if (error) reject(outputError('standard output', error))
      else resolve()
    })
    return promise
  }

  async finish(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

type FileHandle = Awaited<ReturnType<typeof open>>

/** A file that appears when it is complete, in place of what was there. A device or a pipe is written to as it is. */
class FileOutput implements Output {
  readonly isClosedByReader = false
  readonly #path: string
  readonly #file: FileHandle
  /** What is written, until it is complete; undefined where it is written in place. */
  #temporary: string | undefined

  private constructor(path: string, file: FileHandle, temporary: string | undefined) {
    this.#path = path
    this.#file = file
    this.#temporary = temporary
  }

  static async create(path: string): Promise<FileOutput> {
    const found = await stat(path).catch(() => undefined)
    const inPlace = found !== undefined && !found.isFile()
    const temporary = inPlace ? undefined : join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
    try {
      return new FileOutput(path, await open(temporary ?? path, 'w'), temporary)
    } catch (error) {
      throw outputError(path, error)
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#try(() => this.#file.writeFile(bytes))
  }

  finish(): Promise<void> {
    return this.#try(async () => {
      if (this.#temporary === undefined) return
      await rename(this.#temporary, this.#path)
      this.#temporary = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    if (this.#temporary !== undefined) await rm(this.#temporary, { force: true })
  }

  async #try(step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      throw outputError(this.#path, error)
    }
  }
}

function outputError(where: string, error: unknown): ArchiverError {
  return new ArchiverError(`cannot write to ${where}: ${errorText(error)}`, { code: 'OUTPUT_FAILED', cause: error })
}
