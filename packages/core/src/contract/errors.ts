import { harmlessText } from '../values/harmless.js'

/** Where an {@link ArchiverError} happened. */
export interface ErrorPlace {
  /** What was being done: `prepare`, `plan`, `read`, `store`, `look up`, `commit`. */
  readonly operation?: string
  readonly archiver?: string
  readonly table?: string
  /** Exclusive. */
  readonly afterId?: bigint
  /** Inclusive. */
  readonly upToId?: bigint
}

export interface ErrorDetails extends ErrorPlace {
  /** Stable, upper case with underscores (`NO_PROGRESS`); each has a page in the runbook. */
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
  #place: ErrorPlace

  constructor(message: string, { code, hint, retryable = false, cause, ...place }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.hint = hint
    this.retryable = retryable
    this.#place = place
  }

  get place(): ErrorPlace {
    return this.#place
  }

  /** Adds what the thrower did not know; what it said itself stays. */
  locate(place: ErrorPlace): this {
    this.#place = { ...place, ...this.#place }
    return this
  }
}

/** Runs one operation; whatever it throws is an {@link ArchiverError} that says where. */
export async function inOperation<T>(place: ErrorPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ArchiverError) throw error.locate(place)
    throw new ArchiverError(`${place.operation} failed: ${errorText(error)}`, {
      code: 'UNEXPECTED',
      hint: 'This is a defect of the archiver, or an answer that it does not know.',
      cause: error,
      ...place,
    })
  }
}

/** A row whose value fits no documented conversion. It stops its archiver before this row; nothing is rounded or lost. */
export class RowError extends ArchiverError {
  readonly id: bigint
  readonly column: string

  constructor(id: bigint, column: string, why: string, details: Omit<ErrorDetails, 'code'> = {}) {
    super(`row ${id}, column ${column}: ${why}`, {
      code: 'ROW_UNFIT',
      hint: `Correct the row in the source table, or take it out of this archive: archiver skip ${details.archiver ?? 'ARCHIVER'} ${id} --reason TEXT. The rows before it are archived.`,
      ...details,
    })
    this.id = id
    this.column = column
  }
}

/** An archiver without a row in the status table. */
export function archiverOff(archiver: string, table: string): ArchiverError {
  return new ArchiverError(`${archiver} is not turned on: it has no row in ${table}_archive_status`, {
    code: 'ARCHIVER_OFF',
    archiver,
    table,
    hint: `Turn it on: archiver init --with ${archiver} -t ${table}, or insert into \`${table}_archive_status\` (archiver) values ('${archiver}');`,
  })
}

/** The start of a text, for messages: at most 80 characters. */
export function shortText(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text
}

/** The text of anything thrown, for messages that name a cause: harmless, and one line. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return harmlessText(String(thrown))
  // Libraries set these as they please: an HTTP client may make a number the message of an answer without a body.
  const { message, code, name }: { message: unknown; code?: unknown; name: unknown } = thrown
  return (
    [message, code, name].map((text) => harmlessText(String(text ?? ''))).find(Boolean) ?? 'an error without a message'
  )
}
