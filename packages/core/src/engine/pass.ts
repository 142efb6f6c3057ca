import { ArchiverError } from '../errors.js'
import type { Archiver, Permit } from '../types.js'
import { dueNow } from './due.js'
import type { OnEvent } from './events.js'
import type { ArchiverStatus, Ledger } from './ledger.js'
import { runArchiver } from './run-archiver.js'
import type { Source } from './source.js'

/** An archiver that is turned on but is not to be run here, and why; no failure. */
export interface NotHere {
  readonly notHere: string
}

export interface PassOptions {
  readonly table: string
  readonly ledger: Ledger
  readonly source: Source
  readonly permit: Permit
  /** Makes the archiver of a status row. Throws for one that cannot be made. */
  readonly open: (name: string) => Promise<Archiver | NotHere>
  /** Only these archivers; all where it is empty. */
  readonly only?: readonly string[]
  readonly onEvent: OnEvent
}

export interface PassResult {
  readonly rows: number
  /** The archivers that failed, each with its error. */
  readonly failed: ReadonlyMap<string, Error>
}

/** One pass over all archivers, one after the other; a failed one does not stop the rest. */
export async function runPass(options: PassOptions): Promise<PassResult> {
  const failed = new Map<string, Error>()
  let rows = 0
  const statuses = await selectStatuses(options, failed)
  for (const status of statuses) {
    options.permit.check()
    try {
      rows += await serve(options, status)
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      options.onEvent({ event: 'archiver.failed', archiver: status.archiver, error: failure })
      failed.set(status.archiver, failure)
    }
  }
  return { rows, failed }
}

async function selectStatuses(
  { ledger, only = [], table, onEvent }: PassOptions,
  failed: Map<string, Error>,
): Promise<readonly ArchiverStatus[]> {
  const statuses = await ledger.status()
  for (const name of only.filter((wanted) => !statuses.some(({ archiver }) => archiver === wanted))) {
    const error = new ArchiverError(`${name} is not turned on: it has no row in ${table}_archive_status`, {
      code: 'ARCHIVER_OFF',
      archiver: name,
      table,
      hint: `Turn it on: insert into \`${table}_archive_status\` (archiver) values ('${name}');`,
    })
    onEvent({ event: 'archiver.failed', archiver: name, error })
    failed.set(name, error)
  }
  return only.length === 0 ? statuses : statuses.filter(({ archiver }) => only.includes(archiver))
}

/** Runs one archiver if it is due. @returns the rows stored. */
async function serve(options: PassOptions, status: ArchiverStatus): Promise<number> {
  const { open, table, ledger, source, permit, onEvent } = options
  const name = status.archiver
  const opened = await open(name)
  if ('notHere' in opened) {
    onEvent({ event: 'archiver.skipped', archiver: name, why: opened.notHere })
    return 0
  }
  await using archiver = opened
  const startedMs = performance.now()
  const left = await ledger.planned(name)
  const answer = await dueNow(source, status, archiver.batch, left)
  if (!answer.due) {
    onEvent({ event: 'archiver.skipped', archiver: name, why: answer.why })
    return 0
  }
  await archiver.prepare(table)
  const { rows, batches } = await runArchiver({ archiver, ledger, source, permit, onEvent }, status.mark, left)
  onEvent({ event: 'archiver.done', archiver: name, rows, batches, elapsedMs: performance.now() - startedMs })
  return rows
}
