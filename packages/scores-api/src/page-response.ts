import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** What is known of a page when all of it is written. */
export interface PageEnd {
  /** Where the next page is; undefined where there is none. */
  readonly next: string | undefined
  readonly cacheSeconds: number
}

/** So much of a page is held back, so that its end can be told in its headers. */
const heldBytes = 2 ** 20

/**
 * A page on its way. A small one is held until it is complete: it has a length, an ETag, a link to the next page, and an
 * error in the middle is still an error. A large one is streamed in bounded memory from the moment it is one; its link
 * comes as a trailer then.
 */
export class PageResponse {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #contentType: string
  #held: Uint8Array[] = []
  #bytes = 0

  constructor(request: IncomingMessage, response: ServerResponse, contentType: string) {
    this.#request = request
    this.#response = response
    this.#contentType = contentType
  }

  /** Resolves when the bytes may be used for something else, and there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length
    if (this.#response.headersSent) return this.#send(bytes)
    this.#held.push(Uint8Array.from(bytes))
    if (this.#bytes > heldBytes) await this.#begin()
  }

  async end({ next, cacheSeconds }: PageEnd): Promise<void> {
    const response = this.#response
    const link = next === undefined ? {} : { Link: `<${next}>; rel="next"` }
    if (response.headersSent) {
      response.addTrailers(link)
      response.end()
      return
    }
    const body = Buffer.concat(this.#held)
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
    const headers = { ...link, ETag: etag, 'Cache-Control': `public, max-age=${cacheSeconds}`, Vary: 'Accept' }
    if (matches(this.#request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end()
      return
    }
    const length = { 'Content-Length': body.length, 'Content-Type': this.#contentType }
    response.writeHead(200, { ...headers, ...length })
    response.end(this.#request.method === 'HEAD' ? undefined : body)
  }

  async #begin(): Promise<void> {
    const headers = {
      'Content-Type': this.#contentType,
      'Cache-Control': 'public, max-age=10',
      Vary: 'Accept',
      Trailer: 'Link',
    }
    this.#response.writeHead(200, headers)
    const held = Buffer.concat(this.#held)
    this.#held = []
    await this.#send(held)
  }

  #send(bytes: Uint8Array): Promise<void> {
    if (this.#request.method === 'HEAD') return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#response.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }
}

function matches(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}
