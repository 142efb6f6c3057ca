import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { UploadSessions } from './gcs-upload-sessions.js'

/**
 * What a request to Cloud Storage is for: begin a resumable upload, send its bytes, ask how far it has come, send an object
 * in one request, look at an object, list objects, read an object, delete one.
 */
export type GcsStep = 'begin' | 'send' | 'progress' | 'post' | 'look' | 'list' | 'read' | 'delete' | 'other'

/** What goes wrong, and with which request. */
export type GcsFault = {
  readonly on: GcsStep
  /** How many requests it meets, one after the other. Default 1. */
  readonly times?: number
} & (
  | {
      /** Answered so, without asking the emulator. */
      readonly kind: 'answer'
      readonly status: number
      readonly reason?: string
      readonly message?: string
    }
  /** The emulator does as asked; the connection ends before its answer. */
  | { readonly kind: 'lose-answer' }
  /**
   * The connection ends after so many bytes of an object, sent (a resumable upload keeps whole 256 KiB, one request
   * nothing) or read; then more.
   */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly andThen?: () => void }
  /** Bytes of the answer, or of the request, are others on their way. */
  | { readonly kind: 'replace'; readonly in?: 'answer' | 'request'; readonly what: string; readonly by: string }
  /** No answer at all. */
  | { readonly kind: 'stall' }
  /** Something happens, and the request goes on. */
  | { readonly kind: 'meanwhile'; readonly act: () => void | Promise<void> }
)

type Cut = Extract<GcsFault, { readonly kind: 'cut' }>

/** What came through, in order. */
export interface GcsRequest {
  readonly step: GcsStep
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

/** A proxy in front of the emulator of Cloud Storage, on which things go wrong as told. */
export interface GcsProxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly requests: readonly GcsRequest[]
  /** Adds faults: each meets the first requests of its step, in the order given. */
  fail(...faults: readonly GcsFault[]): void
  /** Drops the faults that were not met. */
  clearFaults(): void
  /** From now on every request needs a token that `<url>/token` gave out, by the rules of RFC 8693, and none that expired. */
  requireTokens(): void
  /** All tokens given out so far are refused. */
  expireTokens(): void
  /** How many tokens were given out. */
  readonly tokens: number
}

/**
 * Starts the proxy. It also knows what the emulator does not: the state of a resumable upload (the emulator takes the
 * question for the end of the upload), and what has become of a finished one.
 */
export async function startGcsProxy(emulatorUrl: string): Promise<GcsProxy> {
  const proxy = new FaultyProxy(emulatorUrl)
  await proxy.listen()
  return proxy
}

class FaultyProxy implements GcsProxy {
  readonly requests: GcsRequest[] = []
  readonly #target: URL
  readonly #faults: GcsFault[] = []
  readonly #sessions = new UploadSessions()
  readonly #server = createServer((incoming, response) => {
    this.#answer(incoming, response).catch(() => response.destroy())
  })
  #needsToken = false
  #valid = new Set<string>()
  tokens = 0
  url = ''

  constructor(target: string) {
    this.#target = new URL(target)
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    const { port } = this.#server.address() as AddressInfo // a listening TCP server has one
    this.url = `http://127.0.0.1:${port}`
  }

  fail(...faults: readonly GcsFault[]): void {
    for (const fault of faults) for (let i = 0; i < (fault.times ?? 1); i++) this.#faults.push(fault)
  }

  clearFaults(): void {
    this.#faults.length = 0
  }

  requireTokens(): void {
    this.#needsToken = true
  }

  expireTokens(): void {
    this.#valid.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url!, this.url)
    if (url.pathname === '/token') return this.#giveToken(response)
    const step = stepOf(incoming, url)
    this.requests.push({ step, method: incoming.method ?? '', query: url.searchParams, headers: incoming.headers })
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? ''
    if (this.#needsToken && !this.#valid.has(token)) {
      return refuse(incoming, response, 401, 'authError', 'Invalid Credentials')
    }
    const at = this.#faults.findIndex(({ on }) => on === step)
    const [fault] = at < 0 ? [] : this.#faults.splice(at, 1)
    if (fault?.kind === 'answer') return refuse(incoming, response, fault.status, fault.reason, fault.message)
    if (fault?.kind === 'meanwhile') await fault.act()
    if (fault?.kind === 'stall') return
    if (step === 'progress') return this.#sessions.answer(url, response)
    if (step === 'send' && fault?.kind === 'cut') return this.#cutUpload(incoming, response, url, fault)
    if (step === 'post' && fault?.kind === 'cut') return cutRequest(incoming, response, fault)
    await this.#pass(incoming, response, url, step, fault)
  }

  #giveToken(response: ServerResponse): void {
    const token = `token-${++this.tokens}`
    this.#valid.add(token)
    const types = { token_type: 'Bearer', issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: token, expires_in: 3600, ...types }))
  }

  async #pass(
    incoming: IncomingMessage,
    response: ServerResponse,
    url: URL,
    step: GcsStep,
    fault: GcsFault | undefined,
  ): Promise<void> {
    const spoilt = fault?.kind === 'replace' && fault.in === 'request'
    const answer = await this.#ask(incoming, spoilt ? replaced(await buffer(incoming), fault) : incoming)
    if (step === 'read' && fault?.kind === 'cut') return cutAnswer(answer, response, fault.afterBytes)
    const body = fault?.kind === 'replace' && !spoilt ? replaced(await buffer(answer), fault) : answer
    if (step === 'send' && answer.statusCode === 200) return this.#finish(url, answer, response, fault)
    if (fault?.kind === 'lose-answer') return void response.destroy()
    response.writeHead(answer.statusCode!, answer.headers)
    if (Buffer.isBuffer(body)) response.end(body)
    else await pipeline(body, response)
  }

  async #finish(url: URL, answer: IncomingMessage, response: ServerResponse, fault: GcsFault | undefined) {
    const body = await buffer(answer)
    this.#sessions.finish(url, body)
    if (fault?.kind === 'lose-answer') return void response.destroy()
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }

  async #cutUpload(incoming: IncomingMessage, response: ServerResponse, url: URL, { afterBytes, andThen }: Cut) {
    const part = await this.#sessions.keep(url, incoming, afterBytes)
    if (part) {
      const change = { 'content-range': part.range, 'content-length': part.bytes.length }
      await buffer(await this.#ask(incoming, part.bytes, change))
    }
    andThen?.()
    response.destroy()
  }

  /** What the emulator answers to the request with this body. */
  async #ask(
    { method, url, headers }: IncomingMessage,
    body: IncomingMessage | Buffer,
    change: Record<string, string | number> = {},
  ): Promise<IncomingMessage> {
    const { hostname, port } = this.#target
    const options = { hostname, port, method, path: url, headers: { ...headers, ...change, connection: 'close' } }
    const outgoing = request({ ...options, agent: false })
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]> // what this event comes with
    const [[answer]] = await Promise.all([answered, pipeline(Buffer.isBuffer(body) ? [body] : body, outgoing)])
    return answer
  }
}

function stepOf({ method, headers }: IncomingMessage, { pathname, searchParams }: URL): GcsStep {
  if (pathname.startsWith('/upload/')) {
    if (method === 'PUT') return headers['content-range']?.startsWith('bytes */') ? 'progress' : 'send'
    return searchParams.get('uploadType') === 'resumable' ? 'begin' : 'post'
  }
  if (method === 'DELETE') return 'delete'
  if (method !== 'GET') return 'other'
  if (/\/o\/?$/.test(pathname)) return 'list'
  if (!/\/o\/./.test(pathname)) return 'other'
  return searchParams.get('alt') === 'media' ? 'read' : 'look'
}

/** An error in the form of Google's JSON APIs, once the body is read: who still sends would see a broken connection. */
async function refuse(
  incoming: IncomingMessage,
  response: ServerResponse,
  status: number,
  reason = 'backendError',
  message = `status ${status}`,
): Promise<void> {
  await buffer(incoming)
  const error = { code: status, message, errors: [{ domain: 'global', reason, message }] }
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify({ error }))
}

async function cutRequest(incoming: IncomingMessage, response: ServerResponse, { afterBytes, andThen }: Cut) {
  let bytes = 0
  // The connection must outlive this: its end tells the client.
  for await (const piece of incoming.iterator({ destroyOnReturn: false })) {
    bytes += (piece as Buffer).length // no encoding is set: pieces are buffers
    if (bytes >= afterBytes) break
  }
  andThen?.()
  response.destroy()
}

async function cutAnswer(answer: IncomingMessage, response: ServerResponse, afterBytes: number): Promise<void> {
  const body = await buffer(answer)
  response.writeHead(answer.statusCode!, answer.headers)
  response.write(body.subarray(0, afterBytes), () => response.destroy())
}

function replaced(body: Buffer, { what, by }: { readonly what: string; readonly by: string }): Buffer {
  return Buffer.from(body.toString('latin1').replace(what, by), 'latin1')
}
