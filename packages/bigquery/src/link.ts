import type { ErrorPlace } from '@archiver/core'
import { googleFailure, isGoogleNotFound, requireGoogleAnswer } from '@archiver/google'
import type { BigQuery } from '@google-cloud/bigquery'
import { connect } from './connect.js'
import { bigQueryError } from './errors.js'
import type { BigQueryArchiverOptions } from './options.js'
import { within } from './time-limits.js'

type Ask<T> = (client: BigQuery) => Promise<T>

/** The data set, and the client that reaches it; loaded and connected at the first call. */
export class Link {
  readonly projectId: string
  readonly dataset: string
  readonly #options: BigQueryArchiverOptions
  #client: Promise<BigQuery> | undefined
  #location: string | undefined

  constructor(options: BigQueryArchiverOptions) {
    this.projectId = options.projectId
    this.dataset = options.dataset
    this.#options = options
  }

  client(): Promise<BigQuery> {
    this.#client ??= connect(this.#options)
    return this.#client
  }

  /** Has the credentials read, and a token fetched, anew: the one at hand was refused. */
  renew(): void {
    this.#client = undefined
  }

  /** Where the data set lies, and so where its jobs run: outside of US and EU nothing finds a job without it. */
  async location(signal: AbortSignal): Promise<string> {
    if (this.#location !== undefined) return this.#location
    const doing = `cannot look at the data set ${this.projectId}.${this.dataset}`
    const metadata = await this.resource(doing, signal, (client) => client.dataset(this.dataset).getMetadata())
    this.#location = String(metadata.location)
    return this.#location
  }

  /**
   * Asks BigQuery for something that may be asked again.
   *
   * @param doing - what an error begins with: `cannot …`.
   */
  async call<T>(doing: string, signal: AbortSignal, ask: Ask<T>, place: ErrorPlace = {}): Promise<T> {
    signal.throwIfAborted()
    try {
      return await within(signal, this.client().then(ask))
    } catch (thrown) {
      signal.throwIfAborted()
      throw bigQueryError(thrown, doing, place)
    }
  }

  /** The same, for the metadata of something that is there. */
  resource<T>(doing: string, signal: AbortSignal, ask: Ask<readonly [T, ...unknown[]]>): Promise<T> {
    return this.call(doing, signal, async (client) => requireGoogleAnswer((await ask(client))[0]))
  }

  /** The same; undefined where BigQuery says that there is no such thing. */
  async find<T>(doing: string, signal: AbortSignal, ask: Ask<readonly [T, ...unknown[]]>): Promise<T | undefined> {
    return this.call(doing, signal, (client) =>
      ask(client)
        .then(([found]) => requireGoogleAnswer(found))
        .catch((thrown: unknown) => {
          const failure = googleFailure(thrown)
          if (isGoogleNotFound(failure) && !/Not found: (Dataset|Project)/i.test(failure.why)) return undefined
          throw thrown
        }),
    )
  }
}

/** A request of the client's own, with its credentials, for what it has no function or no type for. */
export function request<T>(client: BigQuery, options: Parameters<BigQuery['request']>[0]): Promise<T> {
  return new Promise((resolve, reject) => {
    // The client does not look into answers: that they are T is Google's word.
    client.request(options, (error, body) => (error ? reject(error) : resolve(body as T)))
  })
}
