import {
  type CleanupLimit,
  type CleanupMarks,
  type CleanupSource,
  faultPoint,
  type IdRange,
  type Slice,
} from '@archiver/core'
import { type Blocked, wasCostly } from './blocked.js'
import { decideLimit, dueInMs, otherRowsOf, type Span, spanOf, Window } from './decide.js'
import { KeptCount } from './kept-count.js'
import type { CleanupOptions } from './options.js'
import type { CleanupEnd, CleanupResult } from './result.js'
import { Throttle } from './throttle.js'
import { UnarchivedCheck } from './unarchived.js'
import { Verifier } from './verify.js'
import { wait } from './wait.js'

/** A span of ids is verified; the run is stamped. */
declare module '@archiver/core' {
  interface FaultPoints {
    'cleanup.verified': true
    'cleanup.stamped': true
  }
}

/** Rows of a far time, one after the other, after which the rest counts as young: old rows behind so many are rare. */
const MOST_YOUNG_ROWS = 10_000

/** Times that a span is looked at again because rows or marks changed, before the run leaves it to the next. */
const MOST_CHANGES = 10

/**
 * One run of the cleaner, if it is due: deletes rows of the source that are older than `retentionDays`, below every mark
 * and, where the archives can be asked, in every archive; at most `maxRows`, in ranges of at most 5,000 ids.
 *
 * @throws ArchiverError when MySQL fails or the lease is gone. What is deleted by then was safe to delete, and is on
 * record.
 */
export async function runCleanup(options: CleanupOptions): Promise<CleanupResult> {
  const startedMs = performance.now()
  const table = options.database
  const dueMs = dueInMs(await table.lastRun(), options.policy)
  if (dueMs > 0) return { rows: 0, ranges: 0, kept: [], end: { why: 'not-due', dueInMs: dueMs } }
  await using throttle = throttleOf(options)
  await using verifier = new Verifier(options, table)
  const run = new Run(options, table, throttle, verifier)
  const result = await run.finish(await run.work())
  options.onEvent({ event: 'cleanup.done', result, elapsedMs: performance.now() - startedMs })
  return result
}

function throttleOf({ database, lease, drain, throttle, onEvent }: CleanupOptions): Throttle {
  const policy = throttle ?? {}
  return new Throttle({ database, lease, drain: drain ?? NEVER, policy, onEvent })
}

/** Above every id. */
const MAX_ID = 2n ** 64n - 1n

const NEVER = new AbortController().signal

class Run {
  private readonly options: CleanupOptions
  private readonly table: CleanupSource
  private readonly throttle: Throttle
  private readonly verifier: Verifier
  private readonly drain: AbortSignal
  private readonly now: () => number
  private readonly maxRows: number
  private readonly retentionDays: number
  private readonly window = new Window()
  private readonly kept = new KeptCount()
  private readonly unarchived: UnarchivedCheck
  private cutoff = ''
  private rows = 0
  private ranges = 0
  private recordId: bigint | null = null
  /** Rows that were passed over since the last one that is old. */
  private youngRows = 0
  private changes = 0

  constructor(options: CleanupOptions, table: CleanupSource, throttle: Throttle, verifier: Verifier) {
    this.options = options
    this.table = table
    this.throttle = throttle
    this.verifier = verifier
    this.unarchived = new UnarchivedCheck({
      table,
      acknowledged: options.policy.unarchived ?? [],
      cutoff: () => this.cutoff,
      readers: (archivers) => verifier.readers(archivers),
      signal: options.lease.signal,
    })
    this.drain = options.drain ?? NEVER
    this.now = options.now ?? Date.now
    this.maxRows = Math.max(1, options.policy.maxRows)
    this.retentionDays = Math.max(1, options.policy.retentionDays)
  }

  /** Deletes until there is a reason to end. */
  async work(): Promise<CleanupEnd> {
    const { lease, onEvent } = this.options
    const refused = await this.throttle.pass()
    if (refused !== null) return blockedBy(refused)
    lease.assertHeld()
    await this.table.clearOwnMark()
    this.cutoff = await this.table.cutoff(this.retentionDays)
    await this.table.lookForReferences()
    for (let afterId = 0n, begun = false; ; begun = true) {
      lease.assertHeld()
      if (this.drain.aborted) return { why: 'drained' }
      const { marks, ...standing } = await this.table.marks()
      if (!begun && (await this.table.firstId(0n, MAX_ID)) === null) return { why: 'empty' }
      const limit = decideLimit({ marks, ...standing }, this.now())
      if ('reason' in limit) return blockedBy(limit)
      if (!begun) onEvent({ event: 'cleanup.started', cutoff: this.cutoff, ...limit })
      const archivers = marks.map(({ archiver }) => archiver)
      const next = await this.step(afterId, limit, archivers)
      if (typeof next !== 'bigint') return next
      afterId = next
    }
  }

  /** Stamps a run that came to its end, or that an archive has stopped, so that it is not asked again at once. */
  async finish(end: CleanupEnd): Promise<CleanupResult> {
    const { why } = end
    if (
      why === 'full' ||
      why === 'young' ||
      why === 'marks' ||
      why === 'empty' ||
      (why === 'blocked' && wasCostly(end.blocked))
    ) {
      this.options.lease.assertHeld()
      await this.table.stamp(this.recordId, why === 'full')
      await faultPoint('cleanup.stamped')
    }
    const kept = this.kept.tables
    for (const each of kept) this.options.onEvent({ event: 'cleanup.kept', ...each })
    return { rows: this.rows, ranges: this.ranges, kept, end }
  }

  /** Looks at the next rows and deletes what is old. @returns the id up to which all is done, or why to end. */
  private async step(afterId: bigint, limit: CleanupLimit, archivers: readonly string[]): Promise<bigint | CleanupEnd> {
    const firstId = await this.table.firstId(afterId, limit.belowId)
    if (firstId === null) return { why: 'marks', ...limit }
    const window = this.window.at(firstId, limit.belowId, this.maxRows - this.rows)
    const { slices, upToId } = await this.look(window)
    this.kept.add(slices, this.table.references)
    const end: bigint | CleanupEnd = upToId < window.upToId ? { why: 'young' } : upToId
    const span = spanOf(slices)
    if (span === null) return this.passOver(otherRowsOf(slices)) ?? end
    const blocked = (await this.verifier.confirm(span, archivers)) ?? (await this.unarchived.check(span, archivers))
    if (blocked !== null) return blockedBy(blocked)
    this.youngRows = 0
    const ended = await this.deleteSpan(span)
    if (ended === 'changed') return this.changed(afterId)
    return ended ?? this.passOver(span.rowsBehind) ?? end
  }

  /** What there is up to the first row that will be old enough soon: what follows is its turn then. */
  private async look(window: IdRange): Promise<{ readonly slices: readonly Slice[]; readonly upToId: bigint }> {
    let { upToId } = window
    let slices = await this.table.slices(window, this.cutoff)
    this.window.found(slices)
    const soonId = slices.find((slice) => slice.soonId !== null)?.soonId ?? null
    if (soonId !== null) {
      upToId = soonId - 1n
      slices = await this.table.slices({ ...window, upToId }, this.cutoff)
    }
    this.noteOdd(slices)
    return { slices, upToId }
  }

  private passOver(rows: number): CleanupEnd | null {
    this.youngRows += rows
    return this.youngRows > MOST_YOUNG_ROWS ? { why: 'young' } : null
  }

  /** Something else works on the same rows: look again from where the last look began. */
  private changed(afterId: bigint): bigint | CleanupEnd {
    return ++this.changes > MOST_CHANGES ? { why: 'changed' } : afterId
  }

  private async deleteSpan({ slices }: Span): Promise<CleanupEnd | 'changed' | null> {
    for (const slice of slices.filter(({ oldRows }) => oldRows > 0)) {
      const ended = await this.deleteSlice(slice)
      if (ended !== null) return ended
    }
    return null
  }

  private async deleteSlice(slice: Slice): Promise<CleanupEnd | 'changed' | null> {
    const { lease, policy, onEvent } = this.options
    if (this.drain.aborted) return { why: 'drained' }
    const refused = await this.throttle.pass()
    if (refused !== null) return blockedBy(refused)
    const startedMs = performance.now()
    const outcome = await this.table.deleteSlice(slice, this.deletion())
    if (outcome.kind === 'blocked') return blockedBy(outcome.blocked)
    if (outcome.kind === 'refused') {
      const { id, error, triggers } = outcome
      return blockedBy({ reason: 'delete-refused', id, error, triggers })
    }
    if (outcome.kind === 'changed') return 'changed'
    this.recordId = outcome.recordId
    this.rows += outcome.rows
    this.ranges += 1
    const range = { afterId: slice.afterId, upToId: slice.upToId }
    onEvent({ event: 'cleanup.deleted', range, rows: outcome.rows, elapsedMs: performance.now() - startedMs })
    if (this.rows >= this.maxRows) return { why: 'full' }
    await wait(policy.pauseMs ?? 50, lease, this.drain)
    return null
  }

  private deletion() {
    const { cutoff, now, retentionDays, recordId, options } = this
    const decide = (marks: CleanupMarks): CleanupLimit | { readonly blocked: Blocked } => {
      const limit = decideLimit(marks, now())
      return 'reason' in limit ? { blocked: limit } : limit
    }
    return { cutoff, retentionDays, recordId, lease: options.lease, decide }
  }

  private noteOdd(slices: readonly Slice[]): void {
    for (const { oddRows, afterId, upToId } of slices) {
      if (oddRows === 0) continue
      this.options.onEvent({ event: 'cleanup.odd-rows', range: { afterId, upToId }, rows: oddRows })
    }
  }
}

function blockedBy(blocked: Blocked): CleanupEnd {
  return { why: 'blocked', blocked }
}
