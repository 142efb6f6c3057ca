import { harmlessText } from '@archiver/core'

/** Why a request was not answered as it was asked, or a connection was closed. */
export type RefusalReason = keyof typeof TEXTS

const TEXTS = {
  method: 'only GET and HEAD are answered',
  url: 'the path is too long',
  headers: 'the headers are too large',
  body: 'requests have no body here',
  host: 'the host name is not one of this machine',
  malformed: 'it is no HTTP',
  'slow-request': 'the request did not come in time',
  'slow-reader': 'the answer was not taken in time',
  connections: 'too many connections; the longest was closed',
  'live-clients': 'too many live pages',
  error: 'a defect of the archiver',
} as const

export const REFUSAL_REASONS = Object.keys(TEXTS) as RefusalReason[] // Object.keys() forgets the keys' type

export interface RefusalOptions {
  readonly warn: (text: string) => void
  readonly count: (reason: RefusalReason) => void
  /** One line for each reason in this time. Default a minute. */
  readonly quietMs?: number
}

/** Counts what is refused, and tells of it: at once the first time, then as a sum, so that nobody can flood the log. */
export class Refusals implements Disposable {
  private readonly options: RefusalOptions
  private readonly quiet = new Map<RefusalReason, { more: number; readonly timer: NodeJS.Timeout }>()

  constructor(options: RefusalOptions) {
    this.options = options
  }

  /** @param detail - who and what, for the log; cut off where it is long. */
  add(reason: RefusalReason, detail: string): void {
    this.options.count(reason)
    const running = this.quiet.get(reason)
    if (running !== undefined) {
      running.more++
      return
    }
    this.options.warn(`http: refused, ${TEXTS[reason]} (${harmlessText(detail, 120)})`)
    this.keepQuiet(reason)
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.quiet.values()) clearTimeout(timer)
    this.quiet.clear()
  }

  private keepQuiet(reason: RefusalReason): void {
    const timer = setTimeout(() => this.tell(reason), this.options.quietMs ?? 60_000).unref()
    this.quiet.set(reason, { more: 0, timer })
  }

  private tell(reason: RefusalReason): void {
    const more = this.quiet.get(reason)?.more ?? 0
    this.quiet.delete(reason)
    if (more === 0) return
    this.options.warn(`http: refused ${more} more, ${TEXTS[reason]}`)
    this.keepQuiet(reason)
  }
}
