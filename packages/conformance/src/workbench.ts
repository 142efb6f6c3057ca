import {
  type Archiver,
  batchSourceFrom,
  type Lease,
  type LogScore,
  leaseUntil,
  type PlannedBatch,
  RowError,
} from '@archiver/core'
import { expect } from 'vitest'
import { batchOf, reusedChunks } from './source.js'
import type { ConformanceSubject } from './subject.js'

/** Small, so that a batch of some hundred rows is many chunks. */
export const rowsPerChunk = 64

/** One table of the archive under test, with the adapters opened on it. */
export class Workbench implements AsyncDisposable {
  readonly subject: ConformanceSubject
  readonly table: string
  readonly #opened: Archiver[] = []

  constructor(subject: ConformanceSubject, table: string) {
    this.subject = subject
    this.table = table
  }

  /** Another table of the same archive. */
  other(): Workbench {
    return new Workbench(this.subject, `${this.table}_other`)
  }

  /** An adapter as a newly started process would have it: opened and prepared. */
  async start(): Promise<Archiver> {
    const archiver = await this.open()
    await archiver.prepare(this.table)
    return archiver
  }

  /** Opened, and not prepared. */
  async open(): Promise<Archiver> {
    const archiver = await this.subject.open(this.table)
    this.#opened.push(archiver)
    return archiver
  }

  batch(archiver: Archiver, id: bigint, rows: readonly LogScore[]): PlannedBatch {
    return batchOf(this.table, archiver.name, id, rows)
  }

  /** Stores the rows as one batch and returns what was reported. */
  store(archiver: Archiver, batch: PlannedBatch, rows: readonly LogScore[], lease: Lease = leaseUntil()) {
    return archiver.store(batch, reusedChunks(rows, rowsPerChunk), lease)
  }

  /** @param deletedIds - rows that the source has deleted. */
  stored(archiver: Archiver, batch: PlannedBatch, rows: readonly LogScore[], deletedIds: readonly bigint[] = []) {
    const source = batchSourceFrom(() => reusedChunks(rows, rowsPerChunk), deletedIds)
    return archiver.findStored(batch, source, leaseUntil())
  }

  /** The archive's rows in ascending order of id. */
  async rows(): Promise<LogScore[]> {
    return (await this.subject.read(this.table)).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  }

  convert(row: LogScore): LogScore {
    return this.subject.convert?.(row) ?? row
  }

  /** The error with which the archive must refuse the row; undefined if it must take it. */
  refusal(row: LogScore): RowError | undefined {
    try {
      this.convert(row)
      return undefined
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(RowError)
      // Just asserted.
      return thrown as RowError
    }
  }

  async expectRows(rows: readonly LogScore[]): Promise<void> {
    expect(await this.rows()).toEqual(rows.map((row) => this.convert(row)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const archiver of this.#opened) await archiver[Symbol.asyncDispose]()
  }
}

/** One promise of the contract and how it is put to the test. */
export interface Check {
  readonly name: string
  run(bench: Workbench): Promise<void>
}
