import { batchOf } from '@archiver/conformance'
import {
  batchSourceFrom,
  chunksFromRows,
  type FaultPoint,
  type Lease,
  type LogScore,
  leaseUntil,
  type PlannedBatch,
  type ReadableArchiver,
} from '@archiver/core'
import { type FakeBigQuery, type FakeBigQueryOptions, startFakeBigQuery, type TableRow } from '@archiver/fake-bigquery'
import { onTestFinished } from 'vitest'
import { createBigQueryArchiver } from '../archiver.js'
import type { BigQueryArchiverOptions } from '../options.js'

export const dataset = 'ntp'
export const table = 'log_scores'
export const location = 'europe-west2'

/** A fake with one empty data set, outside of US and EU, where nothing finds a job without its location. */
export async function startFake(options: FakeBigQueryOptions = {}): Promise<FakeBigQuery> {
  const fake = await startFakeBigQuery(options)
  await fake.createDataset({ id: dataset, location })
  // The client reads it whenever one is made.
  process.env.BIGQUERY_EMULATOR_HOST = fake.url
  return fake
}

/** An archiver as a newly started process would have it. */
export function archiverOf(fake: FakeBigQuery, options: Partial<BigQueryArchiverOptions> = {}): ReadableArchiver {
  return createBigQueryArchiver({ projectId: fake.projectId, dataset, takeoverWaitMs: 1, ...options })
}

export async function prepared(
  fake: FakeBigQuery,
  options: Partial<BigQueryArchiverOptions> = {},
): Promise<ReadableArchiver> {
  const archiver = archiverOf(fake, options)
  await archiver.prepare(table)
  return archiver
}

export function batch(id: bigint, rows: readonly LogScore[], change: Partial<PlannedBatch> = {}): PlannedBatch {
  return { ...batchOf(table, 'bigquery', id, rows), ...change }
}

export function store(
  archiver: ReadableArchiver,
  planned: PlannedBatch,
  rows: readonly LogScore[],
  lease: Lease = leaseUntil(),
) {
  return archiver.store(planned, chunksFromRows(rows, 100), lease)
}

export function stored(
  archiver: ReadableArchiver,
  planned: PlannedBatch,
  rows: readonly LogScore[],
  lease: Lease = leaseUntil(),
) {
  return archiver.findStored(
    planned,
    batchSourceFrom(() => chunksFromRows(rows, 100)),
    lease,
  )
}

/** A row of the fake's, read by ClickHouse, as the archive documents it. */
function logScoreOf(row: TableRow): LogScore {
  // The fake gives INTEGER and TIMESTAMP as bigint, FLOAT as number, STRING as text.
  const { id, server_id, monitor_id, ts, score, step, offset, rtt, leap, error, warning, attributes } = row as Record<
    string,
    bigint
  > &
    Record<'score' | 'step', number> & { offset: number | null } & Record<
      'monitor_id' | 'rtt' | 'leap',
      bigint | null
    > &
    Record<'error' | 'warning' | 'attributes', string | null>
  return {
    id: id!,
    serverId: Number(server_id),
    monitorId: monitor_id === null ? null : Number(monitor_id),
    tsSeconds: Number(ts! / 1_000_000n),
    score,
    step,
    offset,
    rtt: rtt === null ? null : Number(rtt),
    leap: leap === null ? null : Number(leap),
    error,
    warning: warning ?? null,
    ...(row.schema_version === 2n ? { json: attributes } : {}),
  }
}

export async function rowsIn(fake: FakeBigQuery, name = table): Promise<LogScore[]> {
  return (await fake.rowsOf(dataset, name)).map(logScoreOf)
}

/** Leaves a hook for one place, as core's faultPoint looks for it, until the test's end. */
export function atFault(point: FaultPoint, act: () => void | Promise<void>): void {
  const hooks: { [key: symbol]: unknown } = globalThis
  const key = Symbol.for('@archiver/fault')
  hooks[key] = (at: FaultPoint) => (at === point ? act() : undefined)
  onTestFinished(() => {
    delete hooks[key]
  })
}
