import type { VerifySource } from '../contract/verify-source.js'
import { notDeleted } from '../engine/deleted-rows.js'
import type { FindingLog } from './finding.js'

/** What is asked about rows that only the archive has. */
export interface ExtraRowsQuestion {
  readonly log: FindingLog
  readonly source: Pick<VerifySource, 'firstId' | 'nextId' | 'existingIds'>
  /** The highest id of a row that the cleaner has deleted. */
  readonly cleanedUpTo: () => Promise<bigint>
}

/** Rows that are looked at together, with one question to the source. */
const ROWS_A_QUESTION = 1_000

interface Waiting {
  readonly id: bigint
  readonly serverId: number
  /** The row before it in the archive, where the source has none between. */
  readonly neighbour: bigint | undefined
}

/**
 * Rows that only the archive has. Those below the source's first row, and those that the cleaner has deleted, are in the
 * archive alone as they should be. Other rows that were deleted from the source are counted, with their servers. All others
 * are a finding.
 */
export class ExtraRows {
  private readonly question: ExtraRowsQuestion
  private waiting: Waiting[] = []
  private neighbour: bigint | undefined

  constructor(question: ExtraRowsQuestion) {
    this.question = question
  }

  async add(id: bigint, serverId: number): Promise<void> {
    this.waiting.push({ id, serverId, neighbour: this.neighbour })
    this.neighbour = id
    if (this.waiting.length >= ROWS_A_QUESTION) await this.flush()
  }

  /** A row of the source comes next. */
  endRun(): void {
    this.neighbour = undefined
  }

  /** Settles all rows so far. */
  async flush(): Promise<void> {
    const { waiting } = this
    this.waiting = []
    if (waiting.length === 0) return
    const { source, log, cleanedUpTo } = this.question
    const lowest = await source.firstId({ afterId: 0n, upToId: 2n ** 64n - 1n })
    if (lowest === null) return
    const rows = waiting.filter(({ id }) => id >= lowest)
    const unexplained = new Set(
      await notDeleted(
        source,
        rows.map(({ id }) => id),
      ),
    )
    // After the questions above: what the cleaner deletes meanwhile is on record by then.
    const cleaned = await cleanedUpTo()
    for (const { id, serverId, neighbour } of rows) {
      if (unexplained.has(id)) log.addRow('extra', id, neighbour)
      else if (id > cleaned) log.deleted.add(serverId)
    }
  }
}
