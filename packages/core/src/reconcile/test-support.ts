import { chunksFromRows } from '../chunk/chunk.js'
import { digestOf } from '../chunk/digest.js'
import { matchingRows } from '../chunk/row-filter.js'
import type { ArchiveReader, IdRange, ScanQuery, TimeSpan } from '../contract/archive-reader.js'
import type { LogScore } from '../contract/log-score.js'
import type { VerifySource } from '../contract/verify-source.js'
import { joinSpans } from '../values/time-spans.js'

/** Rows of these ids, equal but for their ids. */
export function rowsOf(ids: readonly (bigint | number)[], change: Partial<LogScore> = {}): LogScore[] {
  return ids.map((id) => ({
    id: BigInt(id),
    monitorId: 7,
    serverId: 9,
    tsSeconds: 1_793_491_200,
    score: 20,
    step: 1,
    offset: null,
    rtt: null,
    leap: null,
    error: null,
    warning: null,
    ...change,
  }))
}

/** Ids 1 to `last`. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1)
}

function within(rows: readonly LogScore[], { afterId, upToId }: IdRange): LogScore[] {
  return rows.filter(({ id }) => id > afterId && id <= upToId)
}

/** The times of rows, as a source tells them. */
export function timesOf(rows: readonly LogScore[]): TimeSpan[] {
  return joinSpans(rows.map(({ tsSeconds }) => ({ fromSeconds: tsSeconds, toSeconds: tsSeconds })))
}

/** Rows in memory as a source. Counts what it is asked. */
export class MemorySource implements VerifySource {
  rows: readonly LogScore[]
  digests = 0
  rowsRead = 0

  constructor(rows: readonly LogScore[]) {
    this.rows = rows
  }

  /** As if no id was handed out: a deletion explains nothing. */
  next = 0n

  async nextId(): Promise<bigint> {
    return this.next
  }

  async existingIds(ids: readonly bigint[]): Promise<bigint[]> {
    return ids.filter((id) => this.rows.some((row) => row.id === id))
  }

  async firstId(range: IdRange): Promise<bigint | null> {
    return within(this.rows, range)[0]?.id ?? null
  }

  read(range: IdRange) {
    const rows = within(this.rows, range)
    this.rowsRead += rows.length
    return chunksFromRows(rows, 100)
  }

  async digest(range: IdRange, without: readonly bigint[]) {
    this.digests += 1
    const rows = within(this.rows, range)
    const digest = await digestOf(chunksFromRows(rows.filter(({ id }) => !without.includes(id))))
    return { ...digest, times: timesOf(rows) }
  }
}

/** Rows in memory as an archive. */
export class MemoryReader implements ArchiveReader {
  readonly layout: ArchiveReader['layout'] = 'table'
  readonly rows: readonly LogScore[]
  digests = 0

  constructor(rows: readonly LogScore[]) {
    this.rows = rows
  }

  async digest(_table: string, range: IdRange) {
    this.digests += 1
    return digestOf(chunksFromRows(within(this.rows, range)))
  }

  read(_table: string, range: IdRange) {
    return chunksFromRows(within(this.rows, range), 77)
  }

  scan(table: string, query: ScanQuery) {
    return matchingRows(this.read(table, query), query)
  }
}
