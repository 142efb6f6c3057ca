import { randomUUID } from 'node:crypto'
import { ApiError, alreadyExists, invalid, notFound } from './api-error.js'
import type { ErrorProto, FaultAction, JobRecord } from './contract.js'
import { recordAt, textAt } from './json.js'

/** What a fault decided for a job before it began. */
export type Fate = Extract<FaultAction, { kind: 'hold-job' | 'fail-job' }>

export interface JobReference {
  readonly jobId: string
  readonly location: string
}

/** What a job does between RUNNING and DONE. @returns what makes its effect visible, all at once */
export type Work = (job: Job) => Promise<() => void>

export class Job {
  readonly reference: JobReference
  readonly configuration: Readonly<Record<string, unknown>>
  readonly createdMs = Date.now()
  startedMs: number | undefined
  endedMs: number | undefined
  state: JobRecord['state'] = 'PENDING'
  errors: readonly ErrorProto[] = []
  forgotten = false
  /** `statistics.load` or `statistics.query`. */
  statistics: Readonly<Record<string, unknown>> = {}
  outputRows: number | undefined
  readonly done: Promise<void>
  readonly #done = Promise.withResolvers<void>()
  readonly #released = Promise.withResolvers<void>()

  constructor(reference: JobReference, configuration: Readonly<Record<string, unknown>>) {
    this.reference = reference
    this.configuration = configuration
    this.done = this.#done.promise
  }

  /** Lets it go on where a fault holds it. */
  release(): void {
    this.#released.resolve()
  }

  cancel(): void {
    this.#end([{ reason: 'stopped', message: 'Job execution was cancelled: User requested cancellation' }])
  }

  async run(work: Work, fate: Fate | undefined): Promise<void> {
    const heldIn = fate?.kind === 'hold-job' ? fate.state : undefined
    if (heldIn === 'PENDING') await this.#released.promise
    if (this.state === 'DONE') return
    this.state = 'RUNNING'
    this.startedMs = Date.now()
    try {
      const takeEffect = await work(this)
      if (heldIn === 'RUNNING') await this.#released.promise
      if (fate?.kind === 'fail-job') this.#end(fate.errors)
      else this.#succeed(takeEffect)
    } catch (thrown) {
      this.#end([protoOf(thrown)])
    }
  }

  #succeed(takeEffect: () => void): void {
    if (this.state === 'DONE') return
    takeEffect()
    this.#end([])
  }

  #end(errors: readonly ErrorProto[]): void {
    if (this.state === 'DONE') return
    this.state = 'DONE'
    this.errors = errors
    if (errors.length > 0) {
      this.outputRows = undefined
      this.statistics = {}
    }
    this.startedMs ??= Date.now()
    this.endedMs = Date.now()
    this.#done.resolve()
  }

  record(): JobRecord {
    const { reference, state, configuration, errors, outputRows, forgotten } = this
    return { ...reference, state, configuration, errors, outputRows, forgotten }
  }
}

function protoOf(thrown: unknown): ErrorProto {
  if (thrown instanceof ApiError) return thrown.proto()
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { reason: 'internalError', message: `In the fake of BigQuery: ${message}` }
}

/** The jobs of a project. Each is known by its location and id: the same id in two locations is two jobs. */
export class Jobs {
  readonly #projectId: string
  readonly #all: Job[] = []

  constructor(projectId: string) {
    this.#projectId = projectId
  }

  /** Begins the job. @throws ApiError `duplicate` (409) where it is known. */
  start(reference: JobReference, configuration: Readonly<Record<string, unknown>>, work: Work, fate?: Fate): Job {
    this.refuseKnown(reference)
    const job = new Job(reference, configuration)
    this.#all.push(job)
    setImmediate(() => job.run(work, fate))
    return job
  }

  refuseKnown(reference: JobReference): void {
    if (this.#lookUp(reference)) throw alreadyExists(`Job ${this.idOf(reference)}`)
  }

  /** @param location of the request: only a job in US or EU is found without one. */
  find(jobId: string, location: string | undefined): Job {
    const places = location === undefined ? ['US', 'EU'] : [location]
    for (const place of places) {
      const found = this.#lookUp({ jobId, location: place })
      if (found) return found
    }
    throw notFound(`Job ${location === undefined ? `${this.#projectId}:${jobId}` : this.idOf({ jobId, location })}`)
  }

  /** Newest first, without the forgotten ones. */
  listed(): Job[] {
    return this.#all.filter((job) => !job.forgotten).reverse()
  }

  all(): readonly Job[] {
    return this.#all
  }

  /** As in the resource and in errors: `project:location.id`. */
  idOf({ jobId, location }: JobReference): string {
    return `${this.#projectId}:${location}.${jobId}`
  }

  #lookUp({ jobId, location }: JobReference): Job | undefined {
    const here = (job: Job) => job.reference.location.toLowerCase() === location.toLowerCase()
    return this.#all.find((job) => !job.forgotten && job.reference.jobId === jobId && here(job))
  }
}

/** The id asked for, or a new one. @throws ApiError `invalid` */
export function jobIdOf(body: unknown): string {
  const given = textAt(body, 'jobReference', 'jobId')
  if (given === undefined) return `job_${randomUUID().replaceAll('-', '')}`
  if (!/^[\w-]{1,1024}$/.test(given)) {
    throw invalid(
      `Invalid job ID "${given}". Job IDs must be alphanumeric (plus underscores and dashes) and must be at most 1024 characters long.`,
    )
  }
  return given
}

/** @throws ApiError `invalid` for labels that BigQuery refuses. */
export function checkLabels(configuration: unknown): void {
  const labels = Object.entries(recordAt(configuration, 'labels'))
  if (labels.length > 64) throw invalid('Too many labels: at most 64 are allowed.')
  for (const [key, value] of labels) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key))
      throw invalid(`Label key "${key}" has invalid characters.`)
    if (typeof value !== 'string' || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) {
      throw invalid(`Label value "${String(value)}" has invalid characters.`)
    }
  }
}
