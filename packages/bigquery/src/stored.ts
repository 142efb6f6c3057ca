import { metadataOf, type SchemaVersion, syncMarkerOf, writeLogScores } from '@archiver/avro'
import {
  DAY_SECONDS,
  Digest,
  deletedRowsOf,
  equalDigests,
  joinSpans,
  type Lease,
  type LogScoreChunk,
  type RangeDigest,
  type StoredRows,
  type TimeSpan,
} from '@archiver/core'
import { type Comparison, compareRows } from './compare-rows.js'
import { jobIdOf } from './job-id.js'
import type { LoadJob } from './jobs.js'
import type { Loader } from './load.js'
import { resultOf } from './result.js'

/** What an unfinished batch is looked up with. */
export interface Question extends Comparison {
  readonly loader: Loader
  readonly dataset: string
  readonly schema: SchemaVersion
}

/**
 * What the table holds of a batch: once every job of it has ended, the table itself is asked, since a job's word is
 * forgotten after six months, and its rows may have been removed. A load is whole or nothing, so the answer is nearly
 * always the digest's: all, or none. Only where it is neither are the rows compared one by one.
 */
export async function storedRows(question: Question): Promise<StoredRows> {
  const { loader, reader, batch, source, lease } = question
  const jobs = await loader.settled(batch, lease)
  const done = jobs.filter(({ state }) => state === 'done')
  const { digest, times } = await summarise(source.read(), lease)
  const held = await reader.digest(batch.table, { ...batch, times }, lease.signal)
  if (held.rows > 0n && equalDigests(held, digest)) return all(question, done)
  if (held.rows === 0n) {
    loader.spend(done)
    return { kind: 'none' }
  }
  const { ids, sourceRows, deletedRows } = await compareRows({ ...question, times })
  const deleted = deletedRowsOf(deletedRows)
  if (ids.length > 0 && ids.length === sourceRows) return { ...(await all(question, done)), ...deleted }
  loader.spend(done)
  return ids.length === 0 ? { kind: 'none', ...deleted } : { kind: 'some', ids, ...deleted }
}

interface Summary {
  readonly digest: RangeDigest
  readonly times: readonly TimeSpan[]
}

async function summarise(chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<Summary> {
  const digest = new Digest()
  const days = new Set<number>()
  for await (const chunk of chunks) {
    lease.assertHeld()
    digest.add(chunk)
    let last = -1
    for (let i = 0; i < chunk.rows; i++) {
      const day = Math.floor(chunk.tsSeconds[i]! / DAY_SECONDS)
      if (day !== last) days.add(day)
      last = day
    }
  }
  return { digest: digest.value, times: joinSpans([...days].map(spanOfDay)) }
}

function spanOfDay(day: number): TimeSpan {
  return { fromSeconds: day * DAY_SECONDS, toSeconds: (day + 1) * DAY_SECONDS - 1 }
}

async function all({ batch, dataset, schema, source, lease }: Question, done: readonly LoadJob[]): Promise<StoredRows> {
  const identity = done.at(-1)?.id ?? jobIdOf({ dataset, table: batch.table }, batch.id, 1)
  // The same rows give the same file, so this is what `store` would have answered (now: the version may have been another).
  const format = { schema, metadata: metadataOf(batch), sync: syncMarkerOf(batch) }
  const written = await writeLogScores(source.read(), async () => lease.assertHeld(), format)
  return { kind: 'all', result: resultOf(written, identity) }
}
