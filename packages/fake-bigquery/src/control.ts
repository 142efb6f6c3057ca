import type { Expirations, Table } from './catalog.js'
import type { Fault, JobRecord, RequestRecord, TableField } from './contract.js'
import type { Faults } from './faults.js'
import type { Service } from './service.js'
import { columnName } from './table-data.js'

/** What the test steers and asks, over HTTP like the rest: `POST /fake/<method>` with the arguments as a JSON list. */
export interface Controls {
  createDataset(id: string, location: string, expirations: Expirations): void
  createTable(
    dataset: string,
    table: string,
    fields: readonly TableField[],
    settings: Readonly<Record<string, unknown>>,
  ): void
  deleteTable(dataset: string, table: string): void
  /** The values as text, as queries have them. */
  rows(dataset: string, table: string): Promise<{ fields: readonly TableField[]; rows: readonly (string | null)[][] }>
  count(dataset: string, table: string): Promise<number>
  fail(faults: readonly Fault[]): void
  clearFaults(): number
  release(jobId?: string): Promise<void>
  forget(jobId: string): void
  limitLoads(perDay: number): void
  jobs(): JobRecord[]
  requests(): readonly RequestRecord[]
}

/** A request that a fault holds: it takes effect when it is released. */
export interface HeldRequest {
  readonly jobId: string | undefined
  act(): Promise<unknown>
}

/** What the controls act on. */
export interface Controlled {
  readonly service: Service
  readonly faults: Faults
  readonly records: readonly RequestRecord[]
  held: HeldRequest[]
}

export class ControlDesk {
  readonly #server: Controlled
  readonly #controls: Controls

  constructor(server: Controlled) {
    this.#server = server
    this.#controls = this.#build()
  }

  async call(method: string, args: unknown): Promise<unknown> {
    const control = Object.entries(this.#controls).find(([name]) => name === method)?.[1] as
      | ((...given: unknown[]) => unknown) // the caller is connect.ts, typed by the same interface
      | undefined
    if (!control || !Array.isArray(args)) throw new Error(`The fake has no control ${method}`)
    return control(...args)
  }

  #build(): Controls {
    const { service, faults, records } = this.#server
    const { catalog, jobs } = service
    return {
      createDataset: (id, location, expirations) => void catalog.createDataset(id, location, expirations),
      createTable: (dataset, table, fields, settings) =>
        void catalog.createTable(dataset, table, { ...settings, schema: { fields } }),
      deleteTable: (dataset, table) => catalog.deleteTable(dataset, table),
      rows: (dataset, table) => this.#rows(catalog.dataset(dataset).tables.get(table)),
      count: (dataset, table) => this.#count(catalog.dataset(dataset).tables.get(table)),
      fail: (added) => faults.add(added),
      clearFaults: () => faults.clear(),
      release: (jobId) => this.#release(jobId),
      forget: (jobId) => {
        for (const job of jobs.all()) if (job.reference.jobId === jobId) job.forgotten = true
      },
      limitLoads: (perDay) => {
        service.quota.perDay = perDay
      },
      jobs: () => jobs.all().map((job) => job.record()),
      requests: () => records,
    }
  }

  async #rows(table: Table | undefined) {
    if (!table || table.fields.length === 0) return { fields: [], rows: [] }
    const { fields, data } = table
    const { clickHouse } = this.#server.service
    const source = await data.source(clickHouse, fields)
    const columns = fields.map((field, n) => `toString(${columnName(field)}) AS c${n}`).join(', ')
    const order = fields.some(({ name }) => name.toLowerCase() === 'id') ? 'ORDER BY id' : ''
    const rows = await clickHouse.rows(`SELECT ${columns} FROM ${source} ${order}`)
    return { fields, rows: rows as (string | null)[][] } // every column is a text
  }

  async #count(table: Table | undefined): Promise<number> {
    if (!table || table.fields.length === 0) return 0
    const { clickHouse } = this.#server.service
    const source = await table.data.source(clickHouse, table.fields)
    const [[rows] = []] = await clickHouse.rows(`SELECT count() FROM ${source}`)
    return Number(rows)
  }

  async #release(jobId: string | undefined): Promise<void> {
    const meant = (id: string | undefined) => jobId === undefined || id === jobId
    const landing = this.#server.held.filter((held) => meant(held.jobId))
    this.#server.held = this.#server.held.filter((held) => !meant(held.jobId))
    for (const held of landing) await held.act().catch(() => {}) // refused: nobody waits for the answer
    for (const job of this.#server.service.jobs.all()) {
      if (!meant(job.reference.jobId)) continue
      job.release()
      await job.done
    }
  }
}
