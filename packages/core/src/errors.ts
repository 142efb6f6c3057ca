/** Where an {@link ArchiverError} happened; every part is named in the message. */
export interface ErrorPlace {
  readonly archiver?: string
  readonly table?: string
  /** Exclusive. */
  readonly afterId?: bigint
  /** Inclusive. */
  readonly upToId?: bigint
}

export interface ErrorDetails extends ErrorPlace {
  /** Stable, upper case with underscores (`AVRO_PATH_MISSING`); each has a page in the runbook. */
  readonly code: string
  /** What to do about it: one sentence for the operator. */
  readonly hint?: string
  /** Whether the same call may succeed later without anybody doing anything. Default false. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

/** The one error class of the archiver. The message says what failed and why; `hint` says what to do. No secrets. */
export class ArchiverError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly place: ErrorPlace

  constructor(message: string, { code, hint, retryable = false, cause, ...place }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.hint = hint
    this.retryable = retryable
    this.place = place
  }
}

/** A row whose value fits no documented conversion. It stops its archiver before this row; nothing is rounded or lost. */
export class RowError extends ArchiverError {
  readonly id: bigint
  readonly column: string

  constructor(id: bigint, column: string, why: string, details: Omit<ErrorDetails, 'code'> = {}) {
    super(`row ${id}, column ${column}: ${why}`, {
      code: 'ROW_UNFIT',
      hint: 'Correct the row in MySQL; the rows before it are archived, and this one stops its archiver until then.',
      ...details,
    })
    this.id = id
    this.column = column
  }
}

/** The text of anything thrown, for messages that name a cause. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = (thrown as NodeJS.ErrnoException).code
  return thrown.message || code || thrown.name
}
