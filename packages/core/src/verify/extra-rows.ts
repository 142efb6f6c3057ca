import type { FindingLog } from './finding.js'

/** The lowest id that the source has now; null where it has no row. */
export type LowestId = () => Promise<bigint | null>

/** Rows that are looked at together, with one question to the source. */
const ROWS_A_QUESTION = 1_000

/**
 * Rows that only the archive has. Cleanup may have deleted them from the source while the two were compared; it deletes
 * in the order of ids, so those below the source's first row now are no finding.
 */
export class ExtraRows {
  private readonly log: FindingLog
  private readonly lowestId: LowestId
  private waiting: (readonly [id: bigint, neighbour: bigint | undefined])[] = []
  private neighbour: bigint | undefined

  constructor(log: FindingLog, lowestId: LowestId) {
    this.log = log
    this.lowestId = lowestId
  }

  async add(id: bigint): Promise<void> {
    this.waiting.push([id, this.neighbour])
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
    const lowest = await this.lowestId()
    if (lowest === null) return
    for (const [id, neighbour] of waiting) if (id >= lowest) this.log.addRow('extra', id, neighbour)
  }
}
