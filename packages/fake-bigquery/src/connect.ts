import type { FakeBigQuery, Fault, JobRecord, NewDataset, RequestRecord, TableField, TableRow } from './contract.js'
import type { Controls } from './control.js'

/** Where a running fake is, as its main program prints it. */
export interface FakeAddress {
  readonly url: string
  readonly projectId: string
  readonly pid: number
}

/** A fake that runs, in this process or another. @param close ends it */
export function connect(address: FakeAddress, close: () => Promise<void>): FakeBigQuery {
  return new Connected(address, close)
}

class Connected implements FakeBigQuery {
  readonly url: string
  readonly projectId: string
  readonly pid: number
  readonly #close: () => Promise<void>
  #closed: Promise<void> | undefined

  constructor({ url, projectId, pid }: FakeAddress, close: () => Promise<void>) {
    this.url = url
    this.projectId = projectId
    this.pid = pid
    this.#close = close
  }

  createDataset({ id, location = 'US', ...expirations }: NewDataset): Promise<void> {
    return this.#call('createDataset', id, location, expirations)
  }

  createTable(
    dataset: string,
    table: string,
    fields: readonly TableField[],
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    return this.#call('createTable', dataset, table, fields, settings)
  }

  deleteTable(dataset: string, table: string): Promise<void> {
    return this.#call('deleteTable', dataset, table)
  }

  async rowsOf(dataset: string, table: string): Promise<TableRow[]> {
    const { fields, rows } = await this.#call('rows', dataset, table)
    return rows.map((row) =>
      Object.fromEntries(fields.map((field, n) => [field.name, columnValue(field, row[n] ?? null)])),
    )
  }

  countOf(dataset: string, table: string): Promise<number> {
    return this.#call('count', dataset, table)
  }

  fail(...faults: readonly Fault[]): Promise<void> {
    return this.#call('fail', faults)
  }

  clearFaults(): Promise<number> {
    return this.#call('clearFaults')
  }

  release(jobId?: string): Promise<void> {
    return jobId === undefined ? this.#call('release') : this.#call('release', jobId)
  }

  forget(jobId: string): Promise<void> {
    return this.#call('forget', jobId)
  }

  limitLoads(perDay: number): Promise<void> {
    return this.#call('limitLoads', perDay)
  }

  jobs(): Promise<JobRecord[]> {
    return this.#call('jobs')
  }

  async requests(): Promise<RequestRecord[]> {
    return [...(await this.#call('requests'))]
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call<Method extends keyof Controls>(
    method: Method,
    ...args: Parameters<Controls[Method]>
  ): Promise<Awaited<ReturnType<Controls[Method]>>> {
    const response = await fetch(`${this.url}/fake/${method}`, { method: 'POST', body: JSON.stringify(args) })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    const { result } = JSON.parse(text) as { result: Awaited<ReturnType<Controls[Method]>> } // control.ts answers
    return result
  }
}

function columnValue({ type }: TableField, text: string | null): TableRow[string] {
  if (text === null) return null
  if (type === 'INTEGER' || type === 'TIMESTAMP') return BigInt(text)
  if (type === 'FLOAT') return Number(text)
  return type === 'BOOLEAN' ? text === 'true' : text
}
