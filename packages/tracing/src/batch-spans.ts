import type { PlannedBatch } from '@archiver/core'
import type { BatchSteps, EngineEvent } from '@archiver/core/engine'
import { type Attributes, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'

/** A batch that has begun and not ended. */
interface Open {
  readonly batch: PlannedBatch
  readonly startedAt: number
}

/**
 * A span for each batch, and in it one for each step. Reading, encoding and sending take turns, some thousand rows at a
 * time: their spans are as long as their shares, and are drawn one after the other.
 */
export class BatchSpans {
  private readonly tracer: Tracer
  /** By archiver: each has one batch at most. */
  private readonly open = new Map<string, Open>()

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  take(event: EngineEvent): void {
    switch (event.event) {
      case 'batch.planned':
      case 'batch.recovering':
        this.open.set(event.batch.archiver, { batch: event.batch, startedAt: Date.now() })
        return
      case 'batch.done':
        this.done(event)
        return
      case 'archiver.retrying':
      case 'archiver.failed':
        this.failed(event.archiver, event.error)
        return
      case 'batch.superseded':
        this.open.delete(event.batch.archiver)
        return
      case 'archiver.done':
        // A plan that came to nothing was withdrawn.
        this.open.delete(event.archiver)
    }
  }

  private done({ batch, record, steps, elapsedMs }: Extract<EngineEvent, { event: 'batch.done' }>): void {
    this.open.delete(batch.archiver)
    const endedAt = Date.now()
    const { rows, bytes, identity } = record
    const attributes = { 'archiver.rows': rows, 'archiver.bytes': bytes, 'archiver.identity': identity }
    const span = this.start(batch, endedAt - elapsedMs, attributes)
    this.steps(span, endedAt - elapsedMs, steps)
    span.end(endedAt)
  }

  private failed(archiver: string, error: Error): void {
    const open = this.open.get(archiver)
    if (open === undefined) return
    this.open.delete(archiver)
    const span = this.start(open.batch, open.startedAt, { 'error.type': codeOf(error) })
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    span.end()
  }

  private start({ archiver, table, id, firstId, upToId }: PlannedBatch, startTime: number, more: Attributes): Span {
    const attributes = {
      'archiver.name': archiver,
      'archiver.table': table,
      // Ids are texts: a number of a trace ends at 2^53-1 in many tools.
      'archiver.batch': String(id),
      'archiver.first_id': String(firstId),
      'archiver.up_to_id': String(upToId),
      ...more,
    }
    return this.tracer.startSpan(`archive ${archiver}`, { startTime, attributes, root: true })
  }

  private steps(parent: Span, startedAt: number, { readMs, encodeMs, sendMs, markMs }: BatchSteps): void {
    const context = trace.setSpan(ROOT_CONTEXT, parent)
    let at = startedAt
    for (const [name, ms] of Object.entries({ read: readMs, encode: encodeMs, send: sendMs, mark: markMs })) {
      if (ms === null) continue
      const span = this.tracer.startSpan(name, { startTime: at }, context)
      at += ms
      span.end(at)
    }
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
