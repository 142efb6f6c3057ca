import type { CleanupEvent } from '@archiver/cleanup'
import { harmlessText, harmlessValue } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import type { LifeEvent } from '@archiver/service'
import type { Logger } from 'pino'
import { cleanupLine } from './cleanup-lines.js'
import { deletedRowsText } from './deleted-rows-text.js'
import { errorFields, errorLine } from './error-lines.js'
import { lifeLine } from './life-lines.js'
import { type PassSummary, peakRssBytes, type Reporter } from './reporter.js'
import { UnarchivedLines } from './unarchived-lines.js'

const PROGRESS_INTERVAL_MS = 10_000

/** Reports as log lines, one an event; the progress of a batch every ten seconds. */
export class LogReporter implements Reporter {
  private readonly log: Logger
  private progressedAtMs = performance.now()
  private readonly unarchived = new UnarchivedLines()

  constructor(log: Logger) {
    this.log = log
  }

  readonly onEvent = (event: EngineEvent): void => {
    if (event.event === 'archiver.failed') {
      const fields = { event: event.event, archiver: event.archiver, error: errorFields(event.error) }
      this.tell('error', fields, `${event.archiver}: ${errorLine(event.error, event.archiver)}`)
    } else if (event.event === 'archiver.warning') {
      const fields = { event: event.event, archiver: event.archiver, error: errorFields(event.error) }
      this.tell('warn', fields, `${event.archiver}: ${errorLine(event.error, event.archiver)}`)
    } else if (event.event === 'table.warning') {
      this.tell('warn', { event: event.event, ...event.warning }, `${event.warning.message}. ${event.warning.hint}`)
    } else if (event.event === 'batch.unarchived') {
      for (const line of this.unarchived.lines(event.unarchived)) this.tell('warn', fieldsOf(event), line)
    } else if (event.event !== 'batch.progress') this.tell('info', fieldsOf(event), messageOf(event))
    else if (performance.now() - this.progressedAtMs > PROGRESS_INTERVAL_MS) {
      this.progressedAtMs = performance.now()
      this.tell('info', fieldsOf(event), messageOf(event))
    }
  }

  onCleanup(event: CleanupEvent, table: string): void {
    this.tell('info', { archiver: 'cleanup', ...fieldsOf(event) }, `cleanup: ${cleanupLine(event, table)}`)
  }

  readonly onLife = (event: LifeEvent): void => {
    const failed = 'error' in event || event.event === 'service.reload-refused'
    this.tell(failed ? 'error' : 'info', fieldsOf(event), lifeLine(event))
  }

  passDone({ rows, failed, elapsedMs }: PassSummary): void {
    const fields = { event: 'pass.done', rows, failed: [...failed.keys()], elapsedMs: Math.round(elapsedMs) }
    const message = failed.size === 0 ? 'pass done' : `pass done; failed: ${fields.failed.join(', ')}`
    this.tell(failed.size === 0 ? 'info' : 'error', { ...fields, peakRssBytes: peakRssBytes() }, message)
  }

  warn(text: string): void {
    this.tell('warn', { event: 'warning' }, text)
  }

  failed(error: unknown): void {
    this.tell('error', { event: 'command.failed', error: errorFields(error) }, errorLine(error))
  }

  /** Every line of the log passes here. */
  private tell(level: 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string): void {
    this.log[level](harmlessValue(fields), harmlessText(message))
  }
}

type Logged = Exclude<
  EngineEvent,
  { event: 'archiver.failed' | 'archiver.warning' | 'table.warning' | 'batch.unarchived' }
>

/** The event's fields with ids as strings: JSON numbers end at 2^53-1. */
function fieldsOf(event: EngineEvent | CleanupEvent | LifeEvent): Record<string, unknown> {
  return JSON.parse(JSON.stringify(event, (key, value: unknown) => plain(key, value))) as Record<string, unknown>
}

function plain(key: string, value: unknown): unknown {
  if (key === 'idHash') return undefined
  if (value instanceof Error) return errorFields(value)
  if (typeof value === 'number' && key.endsWith('Ms')) return Math.round(value)
  return typeof value === 'bigint' ? value.toString() : value
}

function messageOf(event: Logged): string {
  switch (event.event) {
    case 'archiver.skipped':
      return `${event.archiver}: ${event.why}`
    case 'archiver.started':
      return `${event.archiver}: mark ${event.mark || 'none'}, newest row ${event.upToId}`
    case 'archiver.retrying':
      return `${event.archiver}: ${event.error.message}; trying again in ${event.delayMs} ms`
    case 'mark.moved':
      return `${event.archiver}: the mark was moved from ${event.from || 'none'} to ${event.to || 'none'} by someone else`
    case 'batch.deleted-rows':
      return `${event.batch.archiver}: ${deletedRowsText(event)}`
    case 'batch.shortened':
      return `${event.batch.archiver}: batch ${event.batch.id} ends at ${event.batch.upToId}, before a row that cannot be stored now`
    case 'batch.superseded':
      return `${event.batch.archiver}: batch ${event.batch.id} is given up: the mark is past it and nothing of it is stored`
    case 'archiver.done':
      return `${event.archiver}: ${event.rows} rows in ${event.batches} batches`
    case 'batch.planned':
      return `${event.batch.archiver}: batch ${event.batch.id}, ids ${event.batch.firstId} to ${event.batch.upToId}`
    case 'batch.recovering':
      return `${event.batch.archiver}: batch ${event.batch.id} was left unfinished; the archive holds ${event.held} of it`
    case 'batch.progress':
      return `${event.batch.archiver}: batch ${event.batch.id}, ${event.rows} rows so far`
    case 'batch.done':
      return `${event.batch.archiver}: batch ${event.batch.id} stored, ${event.record.rows} rows as ${event.record.identity}`
  }
}
