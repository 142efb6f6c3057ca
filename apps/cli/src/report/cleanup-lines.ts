import type { CleanupEvent, CleanupResult } from '@archiver/cleanup'
import { describeBlocked } from '@archiver/cleanup/blocked'
import { formatDuration } from '@archiver/core'
import { count, seconds } from './quantities.js'

/** What the cleaner reports, in one sentence. */
export function cleanupLine(event: CleanupEvent, table: string): string {
  switch (event.event) {
    case 'cleanup.started':
      return `rows before ${event.cutoff} with ids below ${event.belowId} (${event.archiver}) may go`
    case 'cleanup.not-asked':
      return `${event.archiver} is not asked what it holds: ${event.why}`
    case 'cleanup.verified':
      return `${event.archiver} holds ${rangeText(event.range)}, ${count(event.rows)} rows`
    case 'cleanup.moved':
      return `${event.archiver}: ${event.identities.join(', ')} was moved away and counts as safe`
    case 'cleanup.mended':
      return `${event.archiver}: ${count(event.rows)} late rows of ${rangeText(event.range)} stored first`
    case 'cleanup.skipped-rows':
      return `${event.archiver}: rows ${event.ids.join(', ')} were skipped and go with the others`
    case 'cleanup.odd-rows':
      return `${count(event.rows)} rows of ${rangeText(event.range)} have a time that no archive can hold; they are kept`
    case 'cleanup.kept':
      return `${count(event.rows)} old ${event.rows === 1 ? 'row is' : 'rows are'} kept because ${event.table} refers to ${event.rows === 1 ? 'it' : 'them'}`
    case 'cleanup.replicas-unseen':
      return `replicas cannot be looked for: ${event.why}`
    case 'cleanup.waiting':
      return `${describeBlocked(event.blocked, table).why}; waiting ${event.delayMs} ms`
    case 'cleanup.deleted':
      return `${count(event.rows)} rows of ${rangeText(event.range)} deleted`
    case 'cleanup.done':
      return doneLine(event.result, event.elapsedMs, table)
  }
}

function doneLine({ rows, end }: CleanupResult, elapsedMs: number, table: string): string {
  const deleted = rows === 0 ? 'nothing deleted' : `${count(rows)} rows deleted in ${seconds(elapsedMs)}`
  switch (end.why) {
    case 'not-due':
      return `not due for another ${formatDuration(end.dueInMs)}`
    case 'full':
      return `${deleted}; more are waiting`
    case 'young':
      return `${deleted}; all others are too young`
    case 'marks':
      return `${deleted}; the mark of ${end.archiver} is at ${end.belowId}`
    case 'empty':
      return 'the table is empty'
    case 'changed':
      return `${deleted}; rows or marks change at this moment`
    case 'drained':
      return `${deleted}; told to stop`
    case 'blocked': {
      const { why, hint } = describeBlocked(end.blocked, table)
      return `${deleted}; ${why}. ${hint}`
    }
  }
}

function rangeText({ afterId, upToId }: { readonly afterId: bigint; readonly upToId: bigint }): string {
  return `ids ${afterId + 1n} to ${upToId}`
}
