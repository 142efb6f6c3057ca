import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { invalid } from './api-error.js'

/** The bytes of a request, counted, and cut where a fault says so. */
export class RequestBody {
  bytes = 0
  readonly #request: IncomingMessage
  readonly #cutAfterBytes: number

  constructor(request: IncomingMessage, cutAfterBytes = Number.POSITIVE_INFINITY) {
    this.#request = request
    this.#cutAfterBytes = cutAfterBytes
  }

  /** @throws Error when the connection ends first. */
  async *chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of this.#request) {
      const bytes = chunk as Buffer // no encoding is set: chunks are buffers
      const rest = this.#cutAfterBytes - this.bytes
      this.bytes += Math.min(bytes.length, rest)
      if (rest > 0) yield bytes.subarray(0, rest)
      if (bytes.length >= rest) {
        this.#request.socket.destroy()
        throw new Error('cut off by a fault')
      }
    }
  }

  /** Undefined for no body. @throws ApiError `invalid` */
  async json(): Promise<unknown> {
    const chunks: Buffer[] = []
    for await (const chunk of this.chunks()) {
      chunks.push(chunk)
      if (this.bytes > maxJsonBytes) throw invalid('Request too large')
    }
    return parseJson(Buffer.concat(chunks).toString())
  }

  async drain(): Promise<void> {
    for await (const _ of this.chunks());
  }

  /** The whole body into a file, at its end where `append` is set. */
  async into(path: string, append = false): Promise<void> {
    await pipeline(this.chunks(), createWriteStream(path, { flags: append ? 'a' : 'w' }))
  }
}

const maxJsonBytes = 10_000_000

export function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('Parse Error')
  }
}
