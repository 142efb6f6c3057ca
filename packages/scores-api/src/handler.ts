import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ArchiveReader, ArchiverError, DAY_SECONDS, type LogScoreChunk } from '@archiver/core'
import { Deadline } from './deadline.js'
import { PageResponse } from './page-response.js'
import { Problem } from './problem.js'
import { type Limits, type PageQuery, pageQuery } from './request-query.js'
import { bodyOf, contentTypes, EndingChunks, endOf, PageRows } from './rows-body.js'

export interface ScoresApiOptions extends Partial<Limits> {
  readonly reader: Pick<ArchiveReader, 'scan'>
  readonly table: string
  /** Default `/api/scores`. */
  readonly path?: string
  /** Requests that read at the same time; more are refused with 503. Default 8. */
  readonly maxConcurrent?: number
  /** Longest time for a page. Default 10 seconds. */
  readonly timeoutMs?: number
  /** Told of what the archive answered, which whoever asks is not. */
  readonly onError?: (error: unknown) => void
}

/** Answers a request if it is one for scores. @returns false for any other request, which is left untouched. */
export type ScoresHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>

/** A page that may still change. */
const shortlySeconds = 10

/** `GET /api/scores` over an archive. It never rejects. */
export function createScoresApi(options: ScoresApiOptions): ScoresHandler {
  const api = new ScoresApi(options)
  return (request, response) => api.handle(request, response)
}

class ScoresApi {
  readonly #options: ScoresApiOptions
  readonly #path: string
  readonly #limits: Limits
  #running = 0

  constructor(options: ScoresApiOptions) {
    const { path = '/api/scores', defaultLimit = 1_000, maxLimit = 100_000 } = options
    this.#options = options
    this.#path = path
    this.#limits = { defaultLimit, maxLimit }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = URL.parse(`http://localhost${request.url ?? ''}`)
    if (url?.pathname !== this.#path) return false
    try {
      requireGet(request)
      await this.#answer(url, request, response)
    } catch (error) {
      this.#refuse(response, error, request)
    }
    return true
  }

  async #answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = pageQuery(url.searchParams, request.headers.accept, this.#limits)
    const { maxConcurrent = 8 } = this.#options
    if (this.#running >= maxConcurrent) throw busy(maxConcurrent)
    this.#running += 1
    await this.#send(url, page, request, response)
  }

  async #send(url: URL, page: PageQuery, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { reader, table, timeoutMs = 10_000 } = this.#options
    using deadline = new Deadline(response, timeoutMs)
    const { signal } = deadline
    const chunks = new EndingChunks(reader.scan(table, page.query, signal), signal)
    try {
      await writePage(url, page, chunks, new PageResponse(request, response, contentTypes[page.format]))
    } catch (error) {
      throw deadline.isPast ? tooSlow(timeoutMs) : error
    } finally {
      void chunks.close().then(() => {
        this.#running -= 1
      })
    }
  }

  #refuse(response: ServerResponse, error: unknown, request: IncomingMessage): void {
    const problem = error instanceof Problem ? error : unreadable(error)
    if (problem !== error && !response.destroyed) this.#options.onError?.(error)
    if (response.headersSent || response.destroyed) {
      // Too late to say it: the connection is cut, so that half a page is not taken for a whole one.
      response.destroy()
      return
    }
    const { status, headers, body } = problem
    const type = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' }
    response.writeHead(status, { ...type, ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

async function writePage(
  url: URL,
  { format, limit }: PageQuery,
  chunks: AsyncIterable<LogScoreChunk>,
  response: PageResponse,
): Promise<void> {
  const rows = new PageRows()
  for await (const piece of bodyOf(format, rows.count(chunks))) await response.write(piece)
  const next = rows.rows < limit ? undefined : nextOf(url, rows.lastId)
  await response.write(endOf(format, next))
  await response.end({ next, cacheSeconds: cacheSecondsOf(rows, limit) })
}

function requireGet({ method }: IncomingMessage): void {
  if (method === 'GET' || method === 'HEAD') return
  throw new Problem(405, 'Only GET and HEAD', `${method} changes nothing here`, { headers: { Allow: 'GET, HEAD' } })
}

/** The same request for what comes after the last row. */
function nextOf(url: URL, lastId: bigint): string {
  const next = new URLSearchParams(url.searchParams)
  next.set('after', String(lastId))
  return `${url.pathname}?${next}`
}

/**
 * Rows are stored in the order of their ids, so nothing comes into a full page any more, once what was stored beside it is
 * there: a day after its rows were measured it may be kept for a day.
 */
function cacheSecondsOf({ rows, newestSeconds }: PageRows, limit: number): number {
  return rows === limit && newestSeconds < Date.now() / 1000 - DAY_SECONDS ? DAY_SECONDS : shortlySeconds
}

function busy(maxConcurrent: number): Problem {
  return new Problem(503, 'Too many requests at once', `${maxConcurrent} requests are being answered; try again`, {
    headers: { 'Retry-After': '1' },
  })
}

function tooSlow(timeoutMs: number): Problem {
  const detail = `no page within ${timeoutMs / 1000} s: name a server, a shorter time, or a lower limit`
  return new Problem(504, 'The archive took too long', detail)
}

/** What the archive says may name hosts and users: it is for the operator. */
function unreadable(error: unknown): Problem {
  const code = error instanceof ArchiverError ? error.code : 'INTERNAL'
  return new Problem(502, 'The archive cannot be read', `the archive answered with an error (${code})`)
}
