import type { StoredBatch } from '@archiver/mysql'
import type { Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { printLine } from '../standard-streams.js'
import { confirmed } from './confirmed.js'
import { withLock } from './with-lock.js'

export interface MarkJob extends Wiring {
  readonly archiver: string
  /** Null for no mark. */
  readonly to: bigint | null
  readonly reason: string
  /** Do not ask. */
  readonly yes: boolean
}

/** Shows what moving the mark means, asks, and moves it. @returns the exit code. */
export async function moveMark({ archiver, to, reason, yes, ...wiring }: MarkJob): Promise<number> {
  return withLock(wiring, archiver, async ({ operator, status, lease }) => {
    const from = status.mark
    if (from === to) {
      printLine(`${archiver}: the mark is at ${text(to)} already`)
      return ExitCode.ok
    }
    const above = await operator.batchesAbove(archiver, to ?? 0n)
    for (const line of previewLines(archiver, from, to, above)) printLine(line)
    if (!yes && !(await confirmed('Move it?'))) {
      printLine('nothing was changed')
      return ExitCode.failed
    }
    lease.assertHeld()
    await operator.moveMark(archiver, from, to, reason)
    printLine(`${archiver}: the mark is at ${text(to)} now`)
    return ExitCode.ok
  })
}

function previewLines(
  archiver: string,
  from: bigint | null,
  to: bigint | null,
  above: readonly StoredBatch[],
): string[] {
  const rows = above.reduce((sum, batch) => sum + batch.rows, 0)
  const shown = above
    .slice(0, 10)
    .map((b) => `  batch ${b.batchId}: ${b.rows} rows, ids ${b.firstId} to ${b.lastId}, ${b.identity}`)
  const meaning =
    (to ?? 0n) < (from ?? 0n)
      ? 'Back: each of these batches is looked up in the archive, and only what is missing is stored again.'
      : 'Forward: the rows up to the new mark count as stored, and cleanup may delete them from MySQL.'
  return [
    `${archiver}: the mark is at ${text(from)} and would be set to ${text(to)}`,
    `The catalogue has ${above.length} batches with ${rows} rows above ${text(to)}:`,
    ...shown,
    ...(above.length > shown.length ? [`  and ${above.length - shown.length} more`] : []),
    meaning,
  ]
}

function text(mark: bigint | null): string {
  return mark === null ? 'none' : mark.toString()
}
