import {
  type ArchiveReader,
  type Archiver,
  ArchiverError,
  CLEANUP,
  type CleanupSource,
  faultPoint,
  type IdRange,
  RowError,
} from '@archiver/core'
import { storeLate } from '@archiver/core/engine'
import { type Finding, type Verification, verifyArchive } from '@archiver/core/reconcile'
import type { Blocked } from './blocked.js'
import { type Span, subtractRanges } from './decide.js'
import type { CleanupOptions } from './options.js'

/** Rows that may be missing in a span and still count as late: more of them are a loss, to be looked at by somebody. */
const MOST_LATE_ROWS = 1_000

/** Findings that are looked through, and those that are named in the end. */
const MOST_FINDINGS = 5_000
const MOST_NAMED = 20

/** An archive that can be asked. */
interface Asked {
  readonly archiver: Archiver
  readonly reader: ArchiveReader
}

/** Asks the archives whether they hold what is about to be deleted, and stores late rows that they lack. */
export class Verifier implements AsyncDisposable {
  private readonly options: CleanupOptions
  private readonly table: CleanupSource
  private readonly opened = new Map<string, Asked | null>()

  constructor(options: CleanupOptions, table: CleanupSource) {
    this.options = options
    this.table = table
  }

  /** @returns what stands against deleting rows of the span; null for nothing. */
  async confirm(span: Span, archivers: readonly string[]): Promise<Blocked | null> {
    if (this.options.policy.verify === 'off') return null
    for (const name of archivers) {
      const blocked = await this.confirmWith(name, span)
      if (blocked !== null) return blocked
    }
    await faultPoint('cleanup.verified')
    return null
  }

  /** The readers of those archives that can be asked. */
  async readers(archivers: readonly string[]): Promise<readonly ArchiveReader[]> {
    const asked: ArchiveReader[] = []
    for (const name of archivers) {
      const one = await this.open(name)
      if (one !== null) asked.push(one.reader)
    }
    return asked
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const asked of this.opened.values()) await asked?.archiver[Symbol.asyncDispose]()
  }

  private async confirmWith(name: string, span: Span): Promise<Blocked | null> {
    try {
      const asked = await this.open(name)
      if (asked === null) return null
      const gone = await this.goneBatches(asked, span)
      if ('reason' in gone) return gone
      for (const part of subtractRanges(span, [...gone, ...(await this.oddRows(span))])) {
        const blocked = await this.confirmUpToUnfit(asked, part)
        if (blocked !== null) return blocked
      }
      return null
    } catch (error) {
      return this.unanswered(name, error)
    }
  }

  /** What went wrong with the archive blocks; what went wrong with MySQL or the lock is an error of the run. */
  private unanswered(archiver: string, error: unknown): Blocked {
    this.options.lease.assertHeld()
    if (!(error instanceof Error)) throw error
    if (isOfMySql(error)) throw error
    return { reason: 'archive-unreadable', archiver, error }
  }

  private async open(name: string): Promise<Asked | null> {
    const known = this.opened.get(name)
    if (known !== undefined) return known
    const asked = await this.tryOpen(name)
    this.opened.set(name, asked)
    return asked
  }

  private async tryOpen(name: string): Promise<Asked | null> {
    const archiver = await this.options.open(name)
    if ('notHere' in archiver) return this.notAsked(name, archiver.notHere)
    const { reader } = archiver
    if (reader !== 'none') return { archiver, reader }
    await archiver[Symbol.asyncDispose]()
    return this.notAsked(name, 'this archive cannot be read back')
  }

  private notAsked(archiver: string, why: string): null {
    this.options.onEvent({ event: 'cleanup.not-asked', archiver, why })
    return null
  }

  /** The batches of the span whose file or object was moved away, where that is allowed. */
  private async goneBatches(
    { archiver: { name }, reader }: Asked,
    span: IdRange,
  ): Promise<readonly IdRange[] | Blocked> {
    if (reader.missingFiles === undefined) return []
    const { onEvent, lease, policy, table } = this.options
    const batches = await this.table.batches(name, span)
    const named = batches.map(({ identity }) => identity)
    const identities = await reader.missingFiles(table, named, lease.signal)
    if (identities.length === 0) return []
    if (policy.movedIsSafe !== true) return { reason: 'files-gone', archiver: name, identities }
    onEvent({ event: 'cleanup.moved', archiver: name, identities })
    // A batch that was found in several files has all their names.
    return batches.filter(({ identity }) => identity.split(', ').some((one) => identities.includes(one)))
  }

  /** Rows that no archive can have, each as a range. */
  private async oddRows(span: Span): Promise<readonly IdRange[]> {
    if (span.slices.every(({ oddRows }) => oddRows === 0)) return []
    return (await this.table.oddIds(span)).map((id) => ({ afterId: id - 1n, upToId: id }))
  }

  /** A row that the archive cannot hold stands against deleting it. Late rows before it are stored all the same. */
  private async confirmUpToUnfit(asked: Asked, part: IdRange): Promise<Blocked | null> {
    try {
      return await this.confirmPart(asked, part)
    } catch (error) {
      if (!(error instanceof RowError)) throw error
      const before = { ...part, upToId: error.id - 1n }
      const blocked = before.upToId > before.afterId ? await this.confirmPart(asked, before) : null
      const range = { afterId: error.id - 1n, upToId: error.id }
      return blocked ?? { reason: 'late-rows', archiver: asked.archiver.name, range, error }
    }
  }

  private async confirmPart(asked: Asked, part: IdRange): Promise<Blocked | null> {
    const { name } = asked.archiver
    const skipped = (await this.options.ledger.skipped(name)).filter((id) => id > part.afterId && id <= part.upToId)
    if (skipped.length > 0) {
      this.options.onEvent({ event: 'cleanup.skipped-rows', archiver: name, ids: [...skipped] })
    }
    let answer = await this.ask(asked, part, skipped)
    if (answer.missing.length > 0 && !isDifferent(answer)) {
      for (const range of answer.missing) {
        const blocked = await this.mend(asked.archiver, range)
        if (blocked !== null) return blocked
      }
      answer = await this.ask(asked, part, skipped)
    }
    if (isDifferent(answer) || answer.missing.length > 0) return differs(name, answer)
    this.options.onEvent({ event: 'cleanup.verified', archiver: name, range: part, rows: answer.rows })
    return null
  }

  private async ask({ reader }: Asked, range: IdRange, skipped: BigUint64Array): Promise<Answer> {
    const { table, source, lease, policy } = this.options
    const deep = policy.verify === 'rows'
    const digest = (part: IdRange, without: readonly bigint[]) => this.table.digest(part, without)
    const verification = await verifyArchive({
      source: {
        firstId: (part) => source.firstId(part),
        nextId: () => source.nextId(),
        existingIds: (ids) => source.existingIds(ids),
        read: (part, _, without) => source.read(part, part.upToId, without),
        digest,
      },
      ...{ reader, table, range, skipped, deep, identities: [], mostNamed: MOST_FINDINGS, signal: lease.signal },
    })
    return answerOf(verification, deep)
  }

  private async mend(archiver: Archiver, range: IdRange): Promise<Blocked | null> {
    const { table, ledger, source, lease, onEvent, settleMs = 3_000, onEngineEvent = () => undefined } = this.options
    const { exclusively = (_name, work) => work() } = this.options
    const { name } = archiver
    try {
      const late = { archiver, table, ledger, source, lease, settleMs, onEvent: onEngineEvent }
      const rows = await exclusively(name, () => storeLate(late, range))
      onEvent({ event: 'cleanup.mended', archiver: name, range, rows })
      return null
    } catch (error) {
      lease.assertHeld()
      if (!(error instanceof Error) || isOfMySql(error)) throw error
      const waits = error instanceof ArchiverError && error.code === 'BATCH_UNFINISHED'
      return waits
        ? { reason: 'unfinished-batch', archiver: name }
        : { reason: 'late-rows', archiver: name, range, error }
    }
  }
}

function isOfMySql(error: unknown): boolean {
  return error instanceof ArchiverError && (error.place.archiver === CLEANUP || error.code.startsWith('MYSQL_'))
}

/** What an archive lacks of a range, and what is wrong with it otherwise. */
interface Answer {
  readonly rows: number
  readonly missing: readonly IdRange[]
  readonly findings: readonly Finding[]
  /** Whether there is more that is wrong than the findings say. */
  readonly more: boolean
}

/**
 * What the archive has beyond the source is no difference: rows behind one that is kept were deleted earlier. Where rows
 * are only counted, other columns than those that are counted are looked at by chance, and tell nothing.
 */
function answerOf({ rows, counts, named, missing, missingMore }: Verification, deep: boolean): Answer {
  const counted = (column: string): boolean => deep || column === 'server_id' || column === 'ts'
  const findings = named.filter(
    (finding) =>
      finding.kind !== 'extra' &&
      (finding.kind !== 'different' || finding.columns.some(({ column }) => counted(column))),
  )
  const unnamed = named.length === MOST_FINDINGS
  return { rows, missing, findings, more: unnamed || missingMore || counts.missing > MOST_LATE_ROWS }
}

/** Whether there is a difference that cannot be mended. */
function isDifferent({ findings, more }: Answer): boolean {
  return more || findings.some(({ kind }) => kind !== 'missing')
}

function differs(archiver: string, { findings, more }: Answer): Blocked {
  const named = findings.slice(0, MOST_NAMED)
  return { reason: 'difference', archiver, findings: named, more: more || named.length < findings.length }
}
