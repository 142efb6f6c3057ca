import type { IdRange } from '../contract/archive-reader.js'
import { ArchiverError } from '../contract/errors.js'
import type { RunContext } from './run-context.js'

/**
 * The highest id above a mark that an archive holds; undefined where it holds none. `unreadable` where that cannot be told
 * (a file that its writer was killed in, for one): then each batch has to be looked up, and what is wrong is met there.
 */
export async function heldAhead(run: RunContext, mark: bigint): Promise<bigint | 'unreadable' | undefined> {
  try {
    return await lastHeld(run, mark)
  } catch (error) {
    if (error instanceof ArchiverError && !error.retryable) return 'unreadable'
    throw error
  }
}

/**
 * Reads on to the last row: memory is bounded, and usually there is nothing to read. What the archive holds below the first
 * row that waits is history: without a mark that would be all of it.
 */
async function lastHeld(run: RunContext, mark: bigint): Promise<bigint | undefined> {
  const { archiver, source, table, watch, lease } = run
  if (archiver.reader === 'none' || watch.maxId <= mark) return undefined
  const firstId = await source.firstId({ afterId: mark, upToId: watch.maxId })
  if (firstId === null) return undefined
  const span = archiver.reader.layout === 'table' ? await source.timeSpan() : null
  const waiting = { afterId: firstId - 1n, upToId: watch.maxId, ...(span === null ? {} : { times: [span] }) }
  let last: bigint | undefined
  for await (const { id, rows } of archiver.reader.read(table, waiting, lease.signal)) last = id[rows - 1]!
  return last
}

/** Whether the archive holds a row of the range; also true where that cannot be told. */
export async function holdsAny({ archiver, table, lease }: RunContext, range: IdRange): Promise<boolean> {
  if (archiver.reader === 'none') return true
  try {
    for await (const _ of archiver.reader.read(table, range, lease.signal)) return true
    return false
  } catch (error) {
    if (error instanceof ArchiverError && !error.retryable) return true
    throw error
  }
}
