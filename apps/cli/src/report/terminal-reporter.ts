import type { CleanupEvent } from '@archiver/cleanup'
import { harmlessText } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import type { StandardStream } from '../standard-streams.js'
import { cleanupLine } from './cleanup-lines.js'
import { deletedRowsText } from './deleted-rows-text.js'
import { errorLine } from './error-lines.js'
import { barText, count, megabytes, rate, seconds } from './quantities.js'
import { type PassSummary, peakRssBytes, type Reporter } from './reporter.js'
import { UnarchivedLines } from './unarchived-lines.js'

const REDRAW_INTERVAL_MS = 100
/** Too many for a person, or told by what follows. */
const QUIET: ReadonlySet<CleanupEvent['event']> = new Set(['cleanup.verified', 'cleanup.deleted'])

/** The run of one archiver that the bar shows. */
interface Running {
  readonly archiver: string
  /** Of the first batch that was planned. */
  firstId: bigint | undefined
  readonly upToId: bigint
  readonly startedMs: number
  /** Rows of the batches that are done. */
  doneRows: number
}

/** Reports to a person: a line for each archiver, which is a moving bar while it works. */
export class TerminalReporter implements Reporter {
  private readonly out: Pick<StandardStream, 'write'>
  private running: Running | undefined
  private readonly unarchived = new UnarchivedLines()
  private drawnMs = 0

  constructor(out: Pick<StandardStream, 'write'>) {
    this.out = out
  }

  readonly onEvent = (event: EngineEvent): void => {
    switch (event.event) {
      case 'archiver.started':
        this.running = { ...event, firstId: undefined, startedMs: performance.now(), doneRows: 0 }
        break
      case 'batch.planned':
        if (this.running !== undefined) this.running.firstId ??= event.batch.firstId
        break
      case 'mark.moved':
        this.line(`${event.archiver}: the mark was moved from ${event.from || 'none'} to ${event.to || 'none'}`)
        break
      case 'archiver.warning':
        this.line(`${event.archiver}: ${errorLine(event.error, event.archiver)}`)
        break
      case 'archiver.retrying':
        this.line(
          `${event.archiver}: ${errorLine(event.error, event.archiver)}; trying again in ${seconds(event.delayMs)}`,
        )
        break
      case 'batch.progress':
        this.draw(event.rows, event.lastId)
        break
      case 'batch.recovering':
        this.line(`${event.batch.archiver}: finishing batch ${event.batch.id} of an earlier run`)
        break
      case 'batch.deleted-rows':
        this.line(`${event.batch.archiver}: ${deletedRowsText(event)}`)
        break
      case 'batch.done':
        if (this.running !== undefined) this.running.doneRows += event.record.rows
        break
      case 'table.warning':
        this.warn(`${event.warning.message}. ${event.warning.hint}`)
        break
      case 'batch.unarchived':
        for (const line of this.unarchived.lines(event.unarchived)) this.warn(line)
        break
      case 'archiver.skipped':
        this.line(`${event.archiver}: ${event.why}`)
        break
      case 'archiver.failed':
        this.line(`${event.archiver}: FAILED: ${errorLine(event.error, event.archiver)}`)
        break
      case 'archiver.done':
        this.done(event.archiver, event.rows, event.batches, event.elapsedMs)
    }
  }

  onCleanup(event: CleanupEvent, table: string): void {
    if (!QUIET.has(event.event)) this.line(`cleanup: ${cleanupLine(event, table)}`)
  }

  passDone({ rows, failed, elapsedMs }: PassSummary): void {
    const end = failed.size === 0 ? 'done' : `failed: ${[...failed.keys()].join(', ')}`
    this.line(`${end}; ${count(rows)} rows in ${seconds(elapsedMs)}, peak memory ${megabytes(peakRssBytes())}`)
  }

  warn(text: string): void {
    this.line(`warning: ${text}`)
  }

  failed(error: unknown): void {
    this.line(`archiver: ${errorLine(error)}`)
  }

  private done(archiver: string, rows: number, batches: number, elapsedMs: number): void {
    this.running = undefined
    const what = `${count(rows)} rows in ${batches} ${batches === 1 ? 'batch' : 'batches'}`
    const text = rows === 0 ? 'nothing to do' : `${what}, ${seconds(elapsedMs)}, ${rate(rows, elapsedMs)}`
    this.line(`${archiver}: ${text}`)
  }

  /** Redraws the bar, ten times a second at most. Its length goes by ids, so a wide gap makes it jump. */
  private draw(batchRows: number, lastId: bigint): void {
    const nowMs = performance.now()
    if (this.running === undefined || nowMs - this.drawnMs < REDRAW_INTERVAL_MS) return
    this.drawnMs = nowMs
    const { archiver, firstId = lastId, upToId, startedMs, doneRows } = this.running
    const part = Number(lastId - firstId + 1n) / Number(upToId - firstId + 1n)
    const advance = { name: archiver, part, rows: doneRows + batchRows, elapsedMs: nowMs - startedMs }
    this.out.write(`\r\x1b[K${barText(advance)}`)
  }

  /** A line that stays; it takes the place of the bar. */
  private line(text: string): void {
    this.out.write(`\r\x1b[K${harmlessText(text)}\n`)
  }
}
