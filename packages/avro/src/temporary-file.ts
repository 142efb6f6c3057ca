import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A file under a name of its own, until it is published under its final one or sent elsewhere. */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string
  readonly #handle: FileHandle
  #open = true

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** @param mode - who may read it, less what the process's umask takes away. */
  static async create(path: string, mode = 0o666): Promise<TemporaryFile> {
    return new TemporaryFile(path, await open(path, 'wx', mode))
  }

  /** Writes all of the bytes; the system may take fewer at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#handle.write(bytes, at)).bytesWritten
  }

  /** Makes what was written durable and closes the file. */
  async finish(): Promise<void> {
    await this.#handle.sync()
    await this.close()
  }

  /** Closes the file; it may be lost with the machine. */
  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }

  /** Removes the name; the file itself goes with it unless it was published. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await rm(this.path, { force: true })
  }
}

/** What the names of all temporary files of one scope and table begin with. */
function temporaryPrefix(scope: string, table: string): string {
  return `.archiver,${part(scope)},${part(table)},`
}

/**
 * A name that no process has used or will use. The same batch must not get the same name twice: a frozen process that
 * wakes up would otherwise publish what its successor is still writing.
 */
export function temporaryName(scope: string, table: string, batchId: bigint): string {
  return `${temporaryPrefix(scope, table)}${batchId},${randomUUID()}.tmp`
}

/** Removes what interrupted tries of this scope and table left behind. */
export async function sweepTemporary(path: string, scope: string, table: string): Promise<void> {
  const prefix = temporaryPrefix(scope, table)
  for (const name of await readdir(path)) if (name.startsWith(prefix)) await rm(join(path, name), { force: true })
}

/** Without slash or comma, and short enough that the whole name stays below 255 bytes. */
function part(text: string): string {
  const encoded = encodeURIComponent(text)
  if (encoded.length <= 70) return encoded
  return `${encoded.slice(0, 50)}~${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
