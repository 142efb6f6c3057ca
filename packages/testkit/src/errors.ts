/** Something that tests need cannot be had on this machine; the message says what was tried, and how to get it. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable'
  /** What is missing and why, without the hint. */
  readonly reason: string
  /** How to get it; may be empty. */
  readonly hint: string
  /** No machine of a CI has it either: its tests are skipped there too. */
  readonly alsoInCi: boolean

  constructor(reason: string, { hint = '', alsoInCi = false, cause }: ServiceUnavailableOptions = {}) {
    super([reason, hint].filter(Boolean).join('\n'), { cause })
    this.reason = reason
    this.hint = hint
    this.alsoInCi = alsoInCi
  }
}

export interface ServiceUnavailableOptions {
  readonly hint?: string
  /** Default false. */
  readonly alsoInCi?: boolean
  readonly cause?: unknown
}

/** What a thrown value says, in one line. */
export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).trim()
}
