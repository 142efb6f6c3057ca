import { type FileHandle, open, rm } from 'node:fs/promises'

/** A file under a name of its own, until it is published under its final one. */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string
  readonly #handle: FileHandle
  #open = true

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  static async create(path: string): Promise<TemporaryFile> {
    return new TemporaryFile(path, await open(path, 'wx'))
  }

  /** Writes all of the bytes; the system may take fewer at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#handle.write(bytes, at)).bytesWritten
  }

  /** Makes what was written durable and closes the file. */
  async finish(): Promise<void> {
    await this.#handle.sync()
    await this.#close()
  }

  /** Removes the name; the file itself goes with it unless it was published. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await rm(this.path, { force: true })
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#handle.close()
  }
}
