import type { HistorySample, ServiceStatus } from '@archiver/service'

/** `live`: sent as it happens · `polling`: asked for every five seconds · `lost`: nothing was heard for a while. */
export type Connection = 'live' | 'polling' | 'lost'

export interface LiveHandlers {
  /** @param now - the time there. */
  readonly onStatus: (status: ServiceStatus, now: string) => void
  readonly onHistory: (history: readonly HistorySample[]) => void
  readonly onSample: (sample: HistorySample) => void
  readonly onConnection: (connection: Connection) => void
}

/** The service sends a beat every five seconds. */
const SILENCE_MS = 12_000
const POLL_MS = 5_000
/** Where the service had no room for another live page, it may have later. */
const LIVE_AGAIN_MS = 60_000

/**
 * Keeps the page up to date by server-sent events. Where they cannot be had it asks instead; where nothing answers it
 * says so, and goes on trying.
 */
export class Live {
  private readonly handlers: LiveHandlers
  private source: EventSource | undefined
  private heardMs = performance.now()
  private pollingSinceMs: number | undefined

  constructor(handlers: LiveHandlers) {
    this.handlers = handlers
  }

  start(): void {
    this.listen()
    setInterval(() => void this.watch(), POLL_MS)
  }

  private listen(): void {
    this.source?.close()
    this.pollingSinceMs = undefined
    const source = new EventSource('events')
    this.source = source
    source.addEventListener('open', () => void this.loadHistory())
    source.addEventListener('status', (event) => this.hear(event))
    source.addEventListener('sample', (event) => this.hear(event))
    source.addEventListener('beat', (event) => this.hear(event))
    source.addEventListener('error', () => this.broken(source))
  }

  private hear({ data }: MessageEvent<string>): void {
    // Of our own service: LivePages writes it.
    const { now, status, sample } = JSON.parse(data) as { now: string; status?: ServiceStatus; sample?: HistorySample }
    this.heard('live')
    if (status !== undefined) this.handlers.onStatus(status, now)
    if (sample !== undefined) this.handlers.onSample(sample)
  }

  private heard(connection: Connection): void {
    this.heardMs = performance.now()
    this.handlers.onConnection(connection)
  }

  /** A browser tries again by itself, unless it was refused. */
  private broken(source: EventSource): void {
    if (source !== this.source) return
    if (source.readyState === EventSource.CLOSED) {
      this.pollingSinceMs ??= performance.now()
      void this.poll()
    } else {
      this.handlers.onConnection('lost')
    }
  }

  private async watch(): Promise<void> {
    const nowMs = performance.now()
    if (this.pollingSinceMs !== undefined) {
      if (nowMs - this.pollingSinceMs > LIVE_AGAIN_MS) this.listen()
      else await this.poll()
    } else if (nowMs - this.heardMs > SILENCE_MS) {
      this.handlers.onConnection('lost')
      this.listen() // the old connection may hang without an end
    }
  }

  private async poll(): Promise<void> {
    try {
      const response = await fetch('api/status', { signal: AbortSignal.timeout(POLL_MS) })
      if (!response.ok) throw new Error(String(response.status))
      const now = new Date(response.headers.get('date') ?? Date.now()).toISOString()
      const status = (await response.json()) as ServiceStatus // of our own service
      this.heard('polling')
      this.handlers.onStatus(status, now)
      await this.loadHistory()
    } catch {
      this.handlers.onConnection('lost')
    }
  }

  private async loadHistory(): Promise<void> {
    try {
      const response = await fetch('api/history', { signal: AbortSignal.timeout(POLL_MS) })
      if (response.ok) this.handlers.onHistory((await response.json()) as HistorySample[]) // of our own service
    } catch {
      // The charts stay as they are; the connection tells of itself.
    }
  }
}
