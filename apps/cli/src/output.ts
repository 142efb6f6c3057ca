import { fstatSync, write } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { escapeInvisible } from '@archiver/core'
import { outputError } from './standard-streams.js'

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
  if (path !== undefined) return FileOutput.create(path)
  if (!isStream(1)) return new RedirectedOutput()
  return isatty(1) ? new TerminalOutput(signal) : new StandardOutput(signal)
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

/** Whether it is a pipe, a socket or a terminal, and not a file or a device such as /dev/full. */
function isStream(descriptor: number): boolean {
  const found = fstatSync(descriptor)
  return found.isFIFO() || found.isSocket() || isatty(descriptor)
}

/** Text for a person: what a terminal would obey, or not show, is written as JSON escapes it. */
class TerminalOutput extends StandardOutput {
  readonly #text = new TerminalText()

  override write(bytes: Uint8Array): Promise<void> {
    return super.write(Buffer.from(this.#text.next(bytes)))
  }
}

/** Rows as text, in pieces that may end within a character. */
export class TerminalText {
  readonly #decoder = new TextDecoder()
  #isQuoted = false

  /** The next piece. Line ends stay, but not those within the quotes of a value. */
  next(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, { stream: true }).replaceAll(/"|\r?\n|[^"\r\n]+|\r/g, (part) => {
      if (part === '"') this.#isQuoted = !this.#isQuoted
      return part.endsWith('\n') && !this.#isQuoted ? '\n' : escapeInvisible(part)
    })
  }
}

/** A file or a device that a shell has opened as standard output: `process.stdout` would not see that a disk is full. */
class RedirectedOutput implements Output {
  readonly isClosedByReader = false

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += (await writeSome(1, bytes, at)).bytesWritten
    } catch (error) {
      throw outputError('standard output', error)
    }
  }

  async finish(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

const writeSome = promisify(write)

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
