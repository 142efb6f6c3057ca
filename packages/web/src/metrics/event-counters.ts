import { ArchiverError, harmlessText, OTHER_NAMES } from '@archiver/core'
import type { ServiceEvent, ServiceStatus } from '@archiver/service'
import { Counter, Histogram, type Registry } from 'prom-client'

/** From a batch of some rows to ClickHouse to ten million rows to Cloud Storage. */
const BATCH_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]
const DELETE_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** More codes than there are: a label must stay bounded whatever happens. */
const MOST_CODES = 200
/** The same for the names of columns and keys. */
const MAX_NAMES = 50

/** What has happened since this process began, from what the engine and the cleaner report. */
export class EventCounters {
  private readonly rows
  private readonly batches
  private readonly bytes
  private readonly duration
  private readonly steps
  private readonly recovered
  private readonly converted
  private readonly unarchived
  private readonly retries
  private readonly errors
  private readonly moved
  private readonly deleted
  private readonly deletion
  private readonly runs
  private readonly mended
  private readonly deletedFromSource
  private readonly expected = new Set<string>()
  private readonly codes = new Set<string>()
  private readonly names = new Set<string>()

  constructor(registry: Registry) {
    const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers: [registry] })
    const histogram = <Label extends string>(name: string, help: string, buckets: number[], ...labelNames: Label[]) =>
      new Histogram({ name, help, buckets, labelNames, registers: [registry] })

    this.rows = counter('archiver_archived_rows_total', 'Rows stored and marked.', 'archiver')
    this.batches = counter('archiver_archived_batches_total', 'Batches stored and marked.', 'archiver')
    this.bytes = counter('archiver_archived_bytes_total', 'Bytes written or sent for them.', 'archiver')
    this.duration = histogram(
      'archiver_batch_duration_seconds',
      'Time of a batch, from its plan to its mark.',
      BATCH_SECONDS,
      'archiver',
    )
    this.steps = counter(
      'archiver_batch_step_seconds_total',
      'Where the time of batches went: read, encode, send or mark.',
      'archiver',
      'step',
    )
    this.recovered = counter(
      'archiver_recovered_batches_total',
      'Batches that an interrupted run had left, or behind a mark that was set back.',
      'archiver',
    )
    this.converted = counter(
      'archiver_converted_values_total',
      'Values that the documented conversion changed.',
      'archiver',
      'conversion',
    )
    this.unarchived = counter(
      'archiver_unarchived_rows_total',
      'Rows archived, of all archivers, with a column or a key of attributes that no archive keeps.',
      'kind',
      'name',
    )
    this.retries = counter('archiver_retries_total', 'Tries that were repeated after an error that passes.', 'archiver')
    this.errors = counter(
      'archiver_errors_total',
      'Errors, those that a repeated try got over included, by their code.',
      'archiver',
      'code',
    )
    this.moved = counter('archiver_moved_marks_total', 'Marks that somebody else had moved.', 'archiver')
    this.deletedFromSource = counter(
      'archiver_rows_deleted_from_source_total',
      'Rows that a look-up found in the archive, and that were deleted from MySQL after they had been stored.',
      'archiver',
    )
    this.deleted = counter('archiver_cleanup_deleted_rows_total', 'Rows deleted from MySQL.')
    this.deletion = histogram(
      'archiver_cleanup_delete_duration_seconds',
      'Time of a transaction that deletes.',
      DELETE_SECONDS,
    )
    this.runs = counter('archiver_cleanup_runs_total', 'Runs of cleanup, by why they ended.', 'end')
    this.mended = counter(
      'archiver_cleanup_mended_rows_total',
      'Late rows that cleanup stored before it deleted.',
      'archiver',
    )
  }

  /** Begins every series at 0, so that the first increase is seen as one. */
  expect({ archivers }: ServiceStatus): void {
    for (const { archiver } of archivers) this.begin(archiver)
  }

  readonly count = (given: ServiceEvent): void => {
    const event = withHarmlessName(given)
    switch (event.event) {
      case 'batch.done':
        this.batchDone(event)
        break
      case 'batch.unarchived':
        this.countUnarchived('column', event.unarchived.columns)
        this.countUnarchived('key', event.unarchived.keys)
        break
      case 'batch.recovering':
        this.recovered.inc({ archiver: event.batch.archiver })
        break
      case 'archiver.retrying':
        this.retries.inc({ archiver: event.archiver })
        this.failed(event.archiver, event.error)
        break
      case 'archiver.failed':
        this.failed(event.archiver, event.error)
        break
      case 'mark.moved':
        this.moved.inc({ archiver: event.archiver })
        break
      case 'batch.deleted-rows':
        this.deletedFromSource.inc({ archiver: event.batch.archiver }, event.rows)
        break
      case 'cleanup.deleted':
        this.deleted.inc(event.rows)
        this.deletion.observe(event.elapsedMs / 1000)
        break
      case 'cleanup.mended':
        this.mended.inc({ archiver: event.archiver }, event.rows)
        break
      case 'cleanup.done':
        this.runs.inc({ end: event.result.end.why })
    }
  }

  /** A histogram's `zero` would also set one back that has counted. */
  private begin(archiver: string): void {
    if (this.expected.has(archiver)) return
    this.expected.add(archiver)
    for (const counter of [
      this.rows,
      this.batches,
      this.bytes,
      this.recovered,
      this.retries,
      this.moved,
      this.deletedFromSource,
    ]) {
      counter.inc({ archiver }, 0)
    }
    this.duration.zero({ archiver })
  }

  private batchDone(event: Extract<ServiceEvent, { event: 'batch.done' }>): void {
    const { record, conversions, elapsedMs, steps } = event
    const { archiver } = event.batch
    this.begin(archiver)
    this.rows.inc({ archiver }, record.rows)
    this.batches.inc({ archiver })
    this.bytes.inc({ archiver }, record.bytes)
    this.duration.observe({ archiver }, elapsedMs / 1000)
    const { readMs: read, encodeMs: encode, sendMs: send, markMs: mark } = steps
    for (const [step, ms] of Object.entries({ read, encode, send, mark }))
      this.steps.inc({ archiver, step }, (ms ?? 0) / 1000)
    for (const [conversion, values] of Object.entries(conversions)) this.converted.inc({ archiver, conversion }, values)
  }

  /** Of a bounded number of names: they are what somebody writes into the table. */
  private countUnarchived(kind: 'column' | 'key', counts: Readonly<Record<string, number>>): void {
    for (const [given, rows] of Object.entries(counts)) {
      if (this.names.size < MAX_NAMES) this.names.add(given)
      this.unarchived.inc({ kind, name: this.names.has(given) ? given : OTHER_NAMES }, rows)
    }
  }

  private failed(archiver: string, error: Error): void {
    const code = error instanceof ArchiverError ? error.code : 'UNEXPECTED'
    if (this.codes.size < MOST_CODES) this.codes.add(code)
    this.errors.inc({ archiver, code: this.codes.has(code) ? code : 'OTHER' })
  }
}

/** The name of an archiver is what somebody has written into the status table. */
function withHarmlessName(event: ServiceEvent): ServiceEvent {
  if ('batch' in event) return { ...event, batch: { ...event.batch, archiver: harmlessText(event.batch.archiver) } }
  return 'archiver' in event ? { ...event, archiver: harmlessText(event.archiver) } : event
}
