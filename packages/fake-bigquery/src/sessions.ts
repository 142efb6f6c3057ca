import { randomUUID } from 'node:crypto'
import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, invalid, notFound } from './api-error.js'
import type { Fate } from './jobs.js'
import type { RequestBody } from './request-body.js'

/** A resumable upload: "Resumable upload" of BigQuery's "API uploads". */
export interface Session {
  readonly id: string
  /** Of jobs.insert, as the start of the session had it. */
  readonly body: unknown
  readonly path: string
  readonly fate: Fate | undefined
  /** What completed it; asked again, it answers the same. */
  answer: Answer | undefined
}

const chunkBytes = 256 * 1024

export class Sessions {
  readonly #folder: string
  readonly #all = new Map<string, Session>()

  constructor(folder: string) {
    this.#folder = folder
  }

  start(body: unknown, fate: Fate | undefined): Session {
    const id = randomUUID()
    const session = { id, body, path: join(this.#folder, `${id}.avro`), fate, answer: undefined }
    this.#all.set(id, session)
    return session
  }

  find(id: string): Session {
    const found = this.#all.get(id)
    if (!found) throw notFound(`Upload session ${id}`)
    return found
  }

  /**
   * Takes a chunk, or nothing where the range is only asked for.
   *
   * @returns whether the file is whole now.
   */
  async take(session: Session, contentRange: string | undefined, body: RequestBody): Promise<boolean> {
    const range = contentRange === undefined ? undefined : rangeOf(contentRange)
    if (range?.first !== undefined) await this.#append(session, range.first, range, body)
    else if (range === undefined) await body.into(session.path)
    const size = await sizeOf(session.path)
    return range === undefined || size === range.total
  }

  async #append(session: Session, first: number, range: Range, body: RequestBody): Promise<void> {
    const size = await sizeOf(session.path)
    if (first > size) throw invalid(`Invalid Content-Range: ${first} is behind the ${size} bytes that are stored`)
    if (first < size) await truncate(session.path, first)
    await body.into(session.path, true)
    const isLast = range.total !== undefined && first + body.bytes === range.total
    if (!isLast && body.bytes % chunkBytes !== 0) throw invalid('Chunks must be multiples of 256 KiB, except the last')
  }

  async incomplete(session: Session): Promise<Answer> {
    const size = await sizeOf(session.path)
    return { status: 308, headers: size > 0 ? { range: `bytes=0-${size - 1}` } : {} }
  }
}

interface Range {
  /** Undefined where only the state is asked for. */
  readonly first: number | undefined
  readonly total: number | undefined
}

function rangeOf(contentRange: string): Range {
  const [, , first, total] = /^bytes (\*|(\d+)-\d+)\/(\d+|\*)$/.exec(contentRange) ?? []
  if (total === undefined) throw invalid(`Invalid Content-Range: ${contentRange}`)
  return { first: first === undefined ? undefined : Number(first), total: total === '*' ? undefined : Number(total) }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
