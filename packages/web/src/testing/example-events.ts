import { ArchiverError } from '@archiver/core'
import type { ServiceEvent } from '@archiver/service'

const batch = {
  id: 7n,
  archiver: 'clickhouse',
  table: 'log_scores',
  afterId: 100n,
  firstId: 101n,
  upToId: 10_000n,
}
const error = new ArchiverError('ClickHouse does not answer', { code: 'CLICKHOUSE_UNREACHABLE', retryable: true })

export function exampleBatchDone(archiver: string, rows: number, bytes: number, elapsedMs: number): ServiceEvent {
  const record = {
    rows,
    firstId: 101n,
    lastId: 100n + BigInt(rows),
    minTsSeconds: 1_792_454_400,
    maxTsSeconds: 1_792_454_460,
    idHash: Buffer.alloc(32),
    bytes,
    identity: 'archiver_log_scores_7',
  }
  const steps = { readMs: 0.4 * elapsedMs, encodeMs: 0.1 * elapsedMs, sendMs: 0.4 * elapsedMs, markMs: 0.1 * elapsedMs }
  const conversions = { 'negative rtt': 2 }
  return { event: 'batch.done', batch: { ...batch, archiver }, record, conversions, elapsedMs, steps }
}

/** One of each kind that is counted. */
export const exampleEvents: readonly ServiceEvent[] = [
  exampleBatchDone('clickhouse', 500, 32_000, 180),
  { event: 'batch.unarchived', batch, unarchived: { columns: { nts: 500 }, keys: { kod: 3 } } },
  { event: 'batch.recovering', batch, held: 'some' },
  { event: 'archiver.retrying', archiver: 'clickhouse', error, attempt: 1, delayMs: 1000 },
  { event: 'archiver.failed', archiver: 'clickhouse', error },
  { event: 'mark.moved', archiver: 'clickhouse', from: 100n, to: 50n },
  { event: 'cleanup.deleted', range: { afterId: 0n, upToId: 5000n }, rows: 5000, elapsedMs: 40 },
  { event: 'cleanup.mended', archiver: 'clickhouse', range: { afterId: 0n, upToId: 10n }, rows: 1 },
  { event: 'cleanup.done', result: { rows: 5000, ranges: 1, kept: [], end: { why: 'young' } }, elapsedMs: 60 },
]
