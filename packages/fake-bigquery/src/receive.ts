import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { type Answer, invalid } from './api-error.js'
import type { Fate } from './jobs.js'
import { splitMultipart } from './multipart.js'
import type { RequestBody } from './request-body.js'
import { type Call, handlers } from './routes.js'
import type { Service } from './service.js'
import type { Session, Sessions } from './sessions.js'

/** A request that has come whole, and has had no effect yet. */
export interface Received {
  /** Its JSON. */
  readonly json: unknown
  act(): Answer | Promise<Answer>
}

/** What is needed to take a request in. */
export interface Incoming {
  readonly call: Call
  readonly request: IncomingMessage
  readonly body: RequestBody
  readonly fate: Fate | undefined
  /** Of the server, for the address of an upload session. */
  readonly serverUrl: string
}

/** Reads the request's body, a file into a file. @throws Error when the connection ends first. */
export function receive(incoming: Incoming, service: Service, sessions: Sessions): Promise<Received> {
  const { operation, query } = incoming.call
  if (operation === 'jobs.upload.chunk') return receiveChunk(incoming, service, sessions)
  if (operation !== 'jobs.upload') return receiveJson(incoming, operation, service)
  const type = query.get('uploadType')
  if (type === 'multipart') return receiveMultipart(incoming, service)
  if (type === 'resumable') return receiveSessionStart(incoming, service, sessions)
  throw invalid(`Invalid uploadType: ${type}`)
}

async function receiveJson(incoming: Incoming, operation: keyof typeof handlers, service: Service): Promise<Received> {
  const json = await incoming.body.json()
  return { json, act: () => handlers[operation](service, incoming.call, json, incoming.fate) }
}

async function receiveMultipart({ request, body, fate }: Incoming, service: Service): Promise<Received> {
  const path = service.newFile()
  let json: unknown
  try {
    await splitMultipart(body.chunks(), request.headers['content-type'] ?? '', path, (first) => {
      json = first
    })
  } catch (thrown) {
    await rm(path, { force: true })
    throw thrown
  }
  return { json, act: async () => jobAnswer(service, json, path, fate) }
}

async function receiveSessionStart(incoming: Incoming, service: Service, sessions: Sessions): Promise<Received> {
  const { body, fate, serverUrl, call } = incoming
  const json = await body.json()
  const act = () => {
    service.checkLoad(json)
    const { id } = sessions.start(json, fate)
    const location = `${serverUrl}/upload/bigquery/v2/projects/${call.project}/jobs?uploadType=resumable&upload_id=${id}`
    return { status: 200, headers: { location, 'x-guploader-uploadid': id } }
  }
  return { json, act }
}

/** A chunk is kept as far as it came; only what follows from the last one can be lost. */
async function receiveChunk(
  { request, body, call }: Incoming,
  service: Service,
  sessions: Sessions,
): Promise<Received> {
  const session = sessions.find(call.query.get('upload_id') ?? '')
  if (session.answer) return { json: undefined, act: () => session.answer! }
  const isWhole = await sessions.take(session, request.headers['content-range'], body)
  const act = () => (isWhole ? complete(session, service) : sessions.incomplete(session))
  return { json: session.body, act }
}

async function complete(session: Session, service: Service): Promise<Answer> {
  session.answer ??= await jobAnswer(service, session.body, session.path, session.fate)
  return session.answer
}

async function jobAnswer(service: Service, json: unknown, path: string, fate: Fate | undefined): Promise<Answer> {
  return { status: 200, body: service.resourceOf(await service.insertJob(json, path, fate)) }
}
