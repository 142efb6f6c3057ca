import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ScoresHandler } from '@archiver/scores-api'
import { openToRead, type ReadableArchive, type Wiring } from '../archivers.js'

export const SCORES_PATH = '/api/scores'

/**
 * `GET /api/scores` of the service, out of ClickHouse. The other archives are files: reading those takes the processor from
 * the archiving, so that they are left to `archiver serve`, a process of its own. Opened at the first request, and anew after
 * a change of settings.
 */
export class MountedScores implements AsyncDisposable {
  #wiring: Wiring
  readonly #onError: (error: unknown) => void
  #opened: Promise<Opened> | undefined

  constructor(wiring: Wiring, onError: (error: unknown) => void) {
    this.#wiring = wiring
    this.#onError = onError
  }

  /** From the next request on. */
  async take(wiring: Wiring): Promise<void> {
    this.#wiring = wiring
    await this[Symbol.asyncDispose]()
  }

  readonly answer = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (request.url?.split('?', 1)[0] !== SCORES_PATH || this.#wiring.settings.clickhouse === undefined) return false
    try {
      this.#opened ??= open(this.#wiring, this.#onError)
      const { handler } = await this.#opened
      return await handler(request, response)
    } catch (error) {
      this.#opened = undefined
      this.#onError(error)
      response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8' }).end('The archive cannot be opened.\n')
      return true
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.then(({ archive }) => archive[Symbol.asyncDispose]()).catch(this.#onError)
  }
}

interface Opened {
  readonly archive: ReadableArchive
  readonly handler: ScoresHandler
}

async function open(wiring: Wiring, onError: (error: unknown) => void): Promise<Opened> {
  const [{ createScoresApi }, archive] = await Promise.all([
    import('@archiver/scores-api'),
    openToRead('clickhouse', wiring),
  ])
  return {
    archive,
    handler: createScoresApi({ reader: archive.reader, table: wiring.table, path: SCORES_PATH, onError }),
  }
}
