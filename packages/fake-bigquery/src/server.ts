import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Answer, ApiError, errorAnswer, notFound } from './api-error.js'
import type { FakeBigQueryOptions, FaultAction, RequestRecord } from './contract.js'
import { ControlDesk, type HeldRequest } from './control.js'
import { Faults } from './faults.js'
import { textAt } from './json.js'
import { receive } from './receive.js'
import { RequestBody } from './request-body.js'
import { type Call, callOf, checkProject } from './routes.js'
import { Service } from './service.js'
import { Sessions } from './sessions.js'

/** The HTTP side: takes requests in, lets faults meet them, answers. */
export class FakeServer {
  readonly service: Service
  readonly faults = new Faults()
  readonly records: RequestRecord[] = []
  held: HeldRequest[] = []
  readonly #server: Server
  readonly #sessions: Sessions
  readonly #desk: ControlDesk
  #url = ''

  constructor(folder: string, options: FakeBigQueryOptions) {
    this.service = new Service(folder, options)
    this.#sessions = new Sessions(folder)
    this.#desk = new ControlDesk(this)
    this.#server = createServer((request, response) => this.#serve(request, response))
    this.#server.requestTimeout = 0
  }

  get url(): string {
    return this.#url
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address() as AddressInfo // a listening TCP server has one
    this.#url = `http://127.0.0.1:${address.port}`
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.service.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}) // the client is gone; there is nobody to tell
    const url = new URL(request.url ?? '/', this.#url)
    if (url.pathname.startsWith('/fake/')) {
      send(response, await this.#control(url.pathname.slice('/fake/'.length), request))
      return
    }
    const call = callOf(request.method ?? 'GET', url)
    const fault = call && this.faults.meet(call.operation)
    const body = new RequestBody(request, fault?.kind === 'cut-body' ? fault.afterBytes : undefined)
    const exchange = { request, response, socket: request.socket, call, fault, body }
    const { json, answer } = await this.#outcome(exchange)
    this.records.push({ ...recordOf(exchange), body: json, status: deliver(exchange, answer) })
  }

  /** No answer where there is to be none. */
  async #outcome({ request, socket, call, fault, body }: Exchange): Promise<{ json: unknown; answer?: Answer }> {
    let json: unknown
    try {
      if (!call) throw notFound(`${request.method} ${request.url} (the fake does not serve it)`)
      checkProject(call, this.service)
      if (fault?.kind === 'answer') {
        await body.drain()
        return { json, answer: errorAnswer(fault.error, this.service.projectId) }
      }
      const fate = fault?.kind === 'hold-job' || fault?.kind === 'fail-job' ? fault : undefined
      const incoming = { call, request, body, fate, serverUrl: this.#url }
      const received = await receive(incoming, this.service, this.#sessions)
      json = received.json
      if (fault?.kind !== 'land-later') return { json, answer: await received.act() }
      this.held.push({ jobId: textAt(json, 'jobReference', 'jobId'), act: async () => received.act() })
      return { json }
    } catch (thrown) {
      return socket.destroyed ? { json } : { json, answer: errorOf(thrown).answer() }
    }
  }

  async #control(method: string, request: IncomingMessage): Promise<Answer> {
    try {
      const args = await new RequestBody(request).json()
      const result = await this.#desk.call(method, args)
      return { status: 200, body: { result } }
    } catch (thrown) {
      return errorOf(thrown).answer()
    }
  }
}

/** A request on its way. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The request forgets its own. */
  readonly socket: Socket
  readonly call: Call | undefined
  readonly fault: FaultAction | undefined
  readonly body: RequestBody
}

function recordOf({ request, call, body }: Exchange) {
  const { method = '', url = '' } = request
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  return { operation: call?.operation ?? 'unknown', method, url, headers, bodyBytes: body.bytes } as const
}

function errorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return new ApiError(500, { reason: 'internalError', message: `In the fake of BigQuery: ${message}` })
}

/** @returns the status that went out; undefined where no answer did. */
function deliver({ response, socket, fault }: Exchange, answer: Answer | undefined): number | undefined {
  if (!answer || fault?.kind === 'lose-response') {
    socket.destroy()
    return undefined
  }
  const sent = fault?.kind === 'answer-after' ? errorAnswer(fault.error, '') : answer
  if (fault?.kind === 'cut-response') cut(response, sent, fault.afterBytes)
  else send(response, sent)
  return sent.status
}

function send(response: ServerResponse, answer: Answer): void {
  const { bytes, headers } = wire(answer)
  response.writeHead(answer.status, headers).end(bytes)
}

function cut(response: ServerResponse, answer: Answer, afterBytes: number): void {
  const { bytes, headers } = wire(answer)
  response.writeHead(answer.status, headers)
  response.write(bytes.subarray(0, afterBytes), () => response.destroy())
}

function wire({ body, headers }: Answer) {
  const isText = typeof body === 'string'
  const bytes = Buffer.from(body === undefined ? '' : isText ? body : JSON.stringify(body))
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }
  return { bytes, headers: { ...type, 'content-length': String(bytes.length), ...headers } }
}
