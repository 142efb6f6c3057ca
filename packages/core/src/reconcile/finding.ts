import type { IdRange } from '../contract/archive-reader.js'
import type { LogScore } from '../contract/log-score.js'
import { DeletedRowsLog } from './deleted-rows-log.js'

/**
 * What is wrong with an archive.
 *
 * - missing: rows of the source that the archive does not have;
 * - doubled: rows that it has more than once;
 * - extra: rows that it has and the source neither has nor has deleted, though the source still has older ones;
 * - different: a row whose columns are not what the source has, after the archive's documented conversions;
 * - unreadable: a file or object that cannot be read to its end; its message says where it breaks off;
 * - gone: a file or object that the catalogue names and the archive does not have.
 */
export type Finding = RunFinding | DifferentFinding | UnreadableFinding | GoneFinding

/** Rows next to each other, as one. */
export interface RunFinding {
  readonly kind: 'missing' | 'doubled' | 'extra'
  readonly firstId: bigint
  readonly lastId: bigint
  /** Not more than the ids from first to last; fewer where there are none between. */
  readonly rows: number
}

export interface DifferentFinding {
  readonly kind: 'different'
  readonly id: bigint
  /** At least one. */
  readonly columns: readonly DifferentColumn[]
}

export interface DifferentColumn {
  /** As the table calls it. */
  readonly column: string
  /** What the archive should have: the source's value after the conversions. */
  readonly source: LogScore[keyof LogScore]
  readonly archive: LogScore[keyof LogScore]
}

export interface UnreadableFinding {
  readonly kind: 'unreadable'
  readonly code: string
  readonly message: string
}

export interface GoneFinding {
  readonly kind: 'gone'
  /** As the catalogue has it: a file or object. */
  readonly identity: string
}

/** How many of each kind: rows, and files or objects for the last two. */
export type FindingCounts = Readonly<Record<Finding['kind'], number>>

/** Missing rows that are remembered by their ids, so that they can be stored: so many runs. */
const MOST_RUNS = 1_000

/** Counts what is found, names the first few and forgets the rest: memory is bounded whatever is wrong. */
export class FindingLog {
  readonly counts: Record<Finding['kind'], number> = {
    missing: 0,
    doubled: 0,
    extra: 0,
    different: 0,
    unreadable: 0,
    gone: 0,
  }
  readonly named: Finding[] = []
  /** Rows that were deleted from the source: not a finding. */
  readonly deleted = new DeletedRowsLog()
  /** Where the missing rows are, as far as they are remembered. */
  readonly missing: IdRange[] = []
  /** Whether there are more missing rows than `missing` has. */
  missingMore = false
  private readonly mostNamed: number
  private run: { -readonly [key in keyof RunFinding]: RunFinding[key] } | undefined

  constructor(mostNamed: number) {
    this.mostNamed = mostNamed
  }

  /** @param neighbour - the row before it in the same stream: where that was found likewise, they are one run. */
  addRow(kind: RunFinding['kind'], id: bigint, neighbour: bigint | undefined): void {
    this.counts[kind] += 1
    if (this.run?.kind === kind && this.run.lastId === neighbour) {
      this.run.lastId = id
      this.run.rows += 1
      return
    }
    this.closeRun()
    this.run = { kind, firstId: id, lastId: id, rows: 1 }
  }

  add(finding: Exclude<Finding, RunFinding>): void {
    this.counts[finding.kind] += 1
    this.name(finding)
  }

  /** Of one and the same thing that several questions met. */
  addOnce(finding: UnreadableFinding): void {
    const known = this.named.some((named) => named.kind === 'unreadable' && named.message === finding.message)
    if (!known) this.add(finding)
  }

  /** Ends the run in hand: whatever comes next does not follow it. */
  closeRun(): void {
    const { run } = this
    this.run = undefined
    if (run === undefined) return
    this.name(run)
    if (run.kind !== 'missing') return
    if (this.missing.length === MOST_RUNS) this.missingMore = true
    else this.missing.push({ afterId: run.firstId - 1n, upToId: run.lastId })
  }

  private name(finding: Finding): void {
    if (this.named.length < this.mostNamed) this.named.push(finding)
  }
}
