import type { IncomingMessage, ServerResponse } from 'node:http'

/** Cloud Storage keeps whole multiples of this of an upload that is cut. */
const granuleBytes = 256 * 1024

interface Session {
  received: number
  /** What the finished upload was answered with. */
  answer?: Buffer
}

/** The resumable uploads that went through, by their ids. */
export class UploadSessions {
  readonly #sessions = new Map<string, Session>()

  finish(url: URL, answer: Buffer): void {
    this.#of(url).answer = answer
  }

  /** Answers a client that asks how far its upload has come. */
  answer(url: URL, response: ServerResponse): void {
    const { received, answer } = this.#of(url)
    if (answer) return void response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    const range = received > 0 ? { range: `bytes=0-${received - 1}` } : {}
    response.writeHead(308, { ...range, 'content-length': 0 }).end()
  }

  /** Reads so many bytes of an upload and no more. @returns what is kept of them, with its place in the whole. */
  async keep(
    url: URL,
    incoming: IncomingMessage,
    bytes: number,
  ): Promise<{ bytes: Buffer; range: string } | undefined> {
    const session = this.#of(url)
    const pieces: Buffer[] = []
    let length = 0
    // The connection must outlive this: its end tells the client, who may ask at once how much was kept.
    for await (const piece of incoming.iterator({ destroyOnReturn: false })) {
      pieces.push(piece)
      length += piece.length
      if (length >= bytes) break
    }
    const kept = Buffer.concat(pieces).subarray(0, Math.floor(Math.min(length, bytes) / granuleBytes) * granuleBytes)
    const total = /\/(\d+)$/.exec(incoming.headers['content-range'] ?? '')?.[1]
    const from = session.received
    session.received += kept.length
    return kept.length === 0 ? undefined : { bytes: kept, range: `bytes ${from}-${session.received - 1}/${total}` }
  }

  #of(url: URL): Session {
    const id = url.searchParams.get('upload_id') ?? ''
    const session = this.#sessions.get(id) ?? { received: 0 }
    this.#sessions.set(id, session)
    return session
  }
}
