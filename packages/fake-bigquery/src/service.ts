import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, ApiError, invalid, unsupported } from './api-error.js'
import { Catalog } from './catalog.js'
import { ClickHouse } from './clickhouse.js'
import type { FakeBigQueryOptions } from './contract.js'
import { checkLabels, type Fate, type Job, type JobReference, Jobs, jobIdOf } from './jobs.js'
import { at, recordAt, textAt } from './json.js'
import { Load, type LoadContext } from './load-job.js'
import { LoadQuota } from './load-quota.js'
import { pageOf, Query } from './query-job.js'
import { jobResource, resultResource } from './resources.js'

/** What the service does, apart from HTTP: jobs over a catalog. */
export class Service {
  readonly projectId: string
  readonly catalog: Catalog
  readonly jobs: Jobs
  readonly clickHouse = new ClickHouse()
  readonly quota = new LoadQuota()
  readonly folder: string
  readonly #loading: LoadContext
  readonly #queries = new WeakMap<Job, Query>()

  constructor(folder: string, options: FakeBigQueryOptions) {
    this.folder = folder
    this.projectId = options.projectId ?? 'test-project'
    this.catalog = new Catalog(this.projectId, folder)
    this.jobs = new Jobs(this.projectId)
    const { catalog, clickHouse, quota } = this
    const { decode = 'now', storageUrl } = options
    this.#loading = { catalog, clickHouse, quota, folder, decode, storageUrl }
  }

  /** A file for a body that comes. */
  newFile(): string {
    return join(this.folder, `${randomUUID()}.avro`)
  }

  /** jobs.insert. @param mediaPath of the file that came with it; it is the job's now */
  async insertJob(body: unknown, mediaPath: string | undefined, fate: Fate | undefined): Promise<Job> {
    try {
      return this.#insertJob(body, mediaPath, fate)
    } catch (thrown) {
      if (mediaPath !== undefined) await rm(mediaPath, { force: true })
      throw thrown
    }
  }

  /** What jobs.insert refuses before a file has come. */
  checkLoad(body: unknown): void {
    this.jobs.refuseKnown(this.#referenceOf(body, new Load(configurationOf(body)).datasetId))
  }

  #insertJob(body: unknown, mediaPath: string | undefined, fate: Fate | undefined): Job {
    const configuration = configurationOf(body)
    if ('query' in configuration) return this.#insertQuery(body, configuration, fate)
    if (!('load' in configuration)) throw unsupported(`a job with ${Object.keys(configuration).join(', ')}`)
    const load = new Load(configuration)
    if (mediaPath === undefined && load.sourceUris.length === 0) {
      throw invalid('Load configuration must specify at least one source URI')
    }
    const reference = this.#referenceOf(body, load.datasetId)
    return this.jobs.start(reference, configuration, (job) => load.run(job, mediaPath, this.#loading), fate)
  }

  #insertQuery(body: unknown, configuration: Readonly<Record<string, unknown>>, fate: Fate | undefined): Job {
    const query = new Query(configuration)
    const reference = this.#referenceOf(body, query.datasetId(this.catalog))
    const job = this.jobs.start(reference, configuration, (started) => query.run(started, this), fate)
    this.#queries.set(job, query)
    return job
  }

  /** Where no location is given it follows from the dataset; where both are, they must agree. */
  #referenceOf(body: unknown, datasetId: string | undefined): JobReference {
    const project = textAt(body, 'jobReference', 'projectId')
    if (project !== undefined && project !== this.projectId) throw invalid('Value for field projectId does not match')
    const given = textAt(body, 'jobReference', 'location')
    const isLoad = at(body, 'configuration', 'load') !== undefined
    const dataset = datasetId === undefined ? undefined : this.catalog.dataset(datasetId, isLoad ? given : undefined)
    return { jobId: jobIdOf(body), location: given ?? dataset?.location ?? 'US' }
  }

  resourceOf(job: Job): Readonly<Record<string, unknown>> {
    return jobResource(job, this.jobs, this.projectId)
  }

  /** jobs.getQueryResults and jobs.query: waits for the job, at most `timeoutMs`. */
  async results(job: Job, kind: string, options: ResultOptions): Promise<Answer> {
    await settledWithin(job, options.timeoutMs)
    const jobReference = { projectId: this.projectId, ...job.reference }
    const query = this.#queries.get(job)
    if (!query) throw invalid('Cannot return results: the job is not a query')
    if (job.state !== 'DONE') return { status: 200, body: { kind, jobReference, jobComplete: false } }
    const [error] = job.errors
    if (error) throw new ApiError(statusOfReason[error.reason] ?? 400, error)
    const result = query.result!
    const page = await pageOf(result, options.start, options.maxRows)
    return { status: 200, body: { kind, jobReference, ...resultResource(result, page, options.useInt64Timestamp) } }
  }

  close(): void {
    this.clickHouse.close()
  }
}

export interface ResultOptions {
  readonly timeoutMs: number
  readonly start: number
  readonly maxRows: number
  readonly useInt64Timestamp: boolean
}

const statusOfReason: Readonly<Record<string, number>> = {
  notFound: 404,
  accessDenied: 403,
  quotaExceeded: 403,
  rateLimitExceeded: 403,
  internalError: 500,
  backendError: 503,
}

function configurationOf(body: unknown): Readonly<Record<string, unknown>> {
  const configuration = recordAt(body, 'configuration')
  checkLabels(configuration)
  return configuration
}

async function settledWithin(job: Job, timeoutMs: number): Promise<void> {
  const timeout = Promise.withResolvers<void>()
  const timer = setTimeout(() => timeout.resolve(), timeoutMs)
  await Promise.race([job.done, timeout.promise])
  clearTimeout(timer)
}
