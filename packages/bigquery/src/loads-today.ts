import { ArchiverError, DAY_MS, type Lease, type PlannedBatch, placeOf } from '@archiver/core'
import { isLoadOf } from './job-id.js'
import type { Link } from './link.js'

/**
 * Counts the load jobs of the last 24 hours into one table. BigQuery's own list of this account's jobs is the record: it
 * outlives the process, and an interrupted try is in it too. It is asked once; what is sent from then on is added.
 */
export class LoadsToday {
  readonly #link: Link
  readonly #table: string
  readonly #limit: number
  /** When each was created, oldest first. */
  #times: number[] | undefined

  constructor(link: Link, table: string, limit: number) {
    this.#link = link
    this.#table = table
    this.#limit = limit
  }

  /** @throws ArchiverError `BQ_LOADS_SPENT` where one more would be too many, with the time when it goes on. */
  async require(batch: PlannedBatch, lease: Lease): Promise<void> {
    const nowMs = Date.now()
    this.#times = (this.#times ?? (await this.#list(nowMs, lease))).filter((timeMs) => timeMs > nowMs - DAY_MS)
    const freed = this.#times[this.#times.length - this.#limit]
    if (freed === undefined) return
    const at = new Date(freed + DAY_MS).toISOString().slice(0, 16)
    throw new ArchiverError(`${this.#times.length} load jobs into ${batch.table} in 24 hours are as many as allowed`, {
      ...placeOf(batch),
      code: 'BQ_LOADS_SPENT',
      hint: `It goes on at ${at}Z. Make batches larger (batch_bq_interval), or raise bq_max_loads_per_day: BigQuery refuses more than 1,500.`,
    })
  }

  /** Notes that one was sent. */
  add(): void {
    this.#times?.push(Date.now())
  }

  async #list(nowMs: number, { signal }: Lease): Promise<number[]> {
    const { dataset } = this.#link
    const [jobs] = await this.#link.call('cannot count the load jobs of today', signal, (client) =>
      client.getJobs({ minCreationTime: String(nowMs - DAY_MS), maxResults: 1000, projection: 'minimal' }),
    )
    return jobs
      .filter(({ id }) => isLoadOf({ dataset, table: this.#table }, id ?? ''))
      .map(({ metadata }) => Number(metadata.statistics?.creationTime ?? nowMs))
      .sort((a, b) => a - b)
  }
}
