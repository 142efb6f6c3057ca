import type { ServerResponse } from 'node:http'
import type { HistorySample, ServiceView } from '@archiver/service'
import { COMMON_HEADERS } from './answer.js'
import type { Limits } from './limits.js'

/** A change is sent at once, further ones together after this. */
const LEAST_GAP_MS = 500
/** A page that has heard nothing for twice this long takes the connection for lost. */
const BEAT_MS = 5_000

/**
 * The live pages. Each is sent `status` and `sample` events as they come about, and a `beat` now and then; each event
 * carries `now`, the time here, since a page's own clock may be wrong.
 */
export class LivePages implements Disposable {
  private readonly view: ServiceView
  private readonly limits: Limits
  private readonly onSlow: () => void
  private readonly pages = new Set<ServerResponse>()
  private readonly beat: NodeJS.Timeout
  private readonly endChanges: () => void
  private pending: NodeJS.Timeout | undefined
  private sentMs = Number.NEGATIVE_INFINITY
  /** The newest sample that was sent. */
  private sampleAt: string | undefined

  constructor(view: ServiceView, limits: Limits, onSlow: () => void) {
    this.view = view
    this.limits = limits
    this.onSlow = onSlow
    this.sampleAt = view.history().at(-1)?.at
    this.beat = setInterval(() => this.toAll(eventText('beat', {}) + this.samplesText()), BEAT_MS).unref()
    this.endChanges = view.onChange(() => this.changed())
  }

  get size(): number {
    return this.pages.size
  }

  get full(): boolean {
    return this.pages.size >= this.limits.liveClients
  }

  /** Answers with events until the page goes away. */
  add(response: ServerResponse): void {
    const type = 'text/event-stream; charset=utf-8'
    // A proxy in between must not collect events before it passes them on.
    response.writeHead(200, { ...COMMON_HEADERS, 'content-type': type, 'x-accel-buffering': 'no' })
    response.write(`retry: 2000\n\n${this.statusText()}`)
    this.pages.add(response)
    response.once('close', () => this.pages.delete(response))
  }

  [Symbol.dispose](): void {
    clearInterval(this.beat)
    clearTimeout(this.pending)
    this.endChanges()
    for (const page of this.pages) page.destroy()
  }

  private changed(): void {
    if (this.pending !== undefined) return
    const delayMs = Math.max(0, this.sentMs + LEAST_GAP_MS - performance.now())
    this.pending = setTimeout(() => this.tell(), delayMs).unref()
  }

  private tell(): void {
    this.pending = undefined
    this.sentMs = performance.now()
    const samples = this.samplesText()
    if (this.pages.size > 0) this.toAll(this.statusText() + samples)
  }

  private samplesText(): string {
    return this.newSamples()
      .map((sample) => eventText('sample', { sample }))
      .join('')
  }

  /** Those that came since the last look. */
  private newSamples(): readonly HistorySample[] {
    const history = this.view.history()
    const from = history.findLastIndex(({ at }) => at === this.sampleAt) + 1
    this.sampleAt = history.at(-1)?.at
    return from === 0 ? history.slice(-1) : history.slice(from)
  }

  private statusText(): string {
    return eventText('status', { status: this.view.status() })
  }

  private toAll(text: string): void {
    for (const page of this.pages) {
      page.write(text)
      if (page.writableLength <= this.limits.liveBacklogBytes) continue
      this.onSlow()
      page.destroy()
    }
  }
}

function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify({ now: new Date().toISOString(), ...data })}\n\n`
}
