import { type ArchiveReader, faultPoint, type IdRange, type LogScoreChunk, type RestoreTarget } from '@archiver/core'
import { collect, type Selection } from './collect.js'
import { inOneSpelling } from './json-column.js'
import { type Difference, reconcile } from './reconcile.js'

declare module '@archiver/core' {
  interface FaultPoints {
    /** The rows of a part are compared, and none of them is written. */
    'restore.compared': true
  }
}

export interface RestoreOptions {
  readonly reader: Pick<ArchiveReader, 'read' | 'applyConversions'>
  /** The table whose archive it is. */
  readonly table: string
  readonly target: Pick<RestoreTarget, 'rows' | 'encode' | 'write'> & Partial<Pick<RestoreTarget, 'jsonAttributes'>>
  readonly range: IdRange
  readonly selection?: Selection
  /** Compare only; write nothing. Default false. */
  readonly dryRun?: boolean
  readonly signal: AbortSignal
  /** Told after each batch of rows, of the last of them. */
  readonly onProgress?: (counts: RestoreCounts, lastId: bigint) => void
  /** Differences that are named; the rest is counted. Default 100. */
  readonly mostNamed?: number
}

/** Rows of the archive. */
export interface RestoreCounts {
  /** Looked at so far. */
  readonly rows: number
  /** Written, or with `dryRun` those that would be. */
  readonly restored: number
  /** Of these, in a form that has lost something. */
  readonly rounded: number
  /** In the table already. */
  readonly same: number
  /** In the table otherwise. They were left alone. */
  readonly different: number
  /** That the archive holds twice, in the same form. */
  readonly doubled: number
}

export interface RestoreResult extends RestoreCounts {
  readonly differences: readonly Difference[]
  readonly doubledIds: readonly bigint[]
}

/**
 * Brings rows of an archive back into a table. A row that is there is compared, column by column after the archive's
 * conversions, and left alone; the others are written, some thousand in a transaction. Run again after whatever went wrong,
 * it passes over what is there, and goes on. Memory is flat, whatever the range.
 *
 * @throws ArchiverError; `counts` of the last onProgress tell what was done, and stays.
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const work = new Restoration(options)
  try {
    await work.run()
  } finally {
    await work.settled()
  }
  return work.result
}

class Restoration {
  private readonly options: RestoreOptions
  private readonly differences: Difference[] = []
  private readonly doubledIds: bigint[] = []
  private readonly mostNamed: number
  private readonly counts = { rows: 0, restored: 0, rounded: 0, same: 0, different: 0, doubled: 0 }
  /** The rows on their way: while the server takes them, the next are read, compared and made ready. */
  private writing: Promise<void> = Promise.resolve()

  constructor(options: RestoreOptions) {
    this.options = options
    this.mostNamed = options.mostNamed ?? 100
  }

  get result(): RestoreResult {
    return { ...this.counts, differences: this.differences, doubledIds: this.doubledIds }
  }

  async run(): Promise<void> {
    const { reader, table, range, signal, selection = {} } = this.options
    const chunks = reader.read(table, range, signal)
    for await (const chunk of collect(chunks, selection, (id) => this.noteDoubled(id))) {
      signal.throwIfAborted()
      await this.take(chunk)
    }
    await this.writing
  }

  /** Waits for the rows on their way, however they end. */
  async settled(): Promise<void> {
    await this.writing.catch(() => undefined)
  }

  private async take(chunk: LogScoreChunk): Promise<void> {
    const { target, reader, dryRun = false } = this.options
    const [firstId, lastId] = [chunk.id[0]!, chunk.id[chunk.rows - 1]!]
    const there = target.rows({ afterId: firstId - 1n, upToId: lastId })
    const spelled = target.jsonAttributes === true ? inOneSpelling : undefined
    const conversions = { archived: reader.applyConversions?.bind(reader), spelled }
    const found = await reconcile(chunk, there, conversions, (one) => this.noteDifference(one))
    const rows = dryRun || found.missingRows === 0 ? undefined : target.encode(chunk, found.missing, found.missingRows)
    await this.writing
    await faultPoint('restore.compared')
    const report = (): void => this.count(chunk, found, lastId)
    if (rows === undefined) return report()
    this.writing = target.write(rows).then(report)
    // Whoever waits for it hears of a failure; until then it must not count as unhandled.
    this.writing.catch(() => undefined)
  }

  private count(
    { rows, exact = false }: LogScoreChunk,
    { missingRows, sameRows, differentRows }: Awaited<ReturnType<typeof reconcile>>,
    lastId: bigint,
  ): void {
    const { counts } = this
    counts.rows += rows
    counts.restored += missingRows
    counts.rounded += exact ? 0 : missingRows
    counts.same += sameRows
    counts.different += differentRows
    this.options.onProgress?.({ ...counts }, lastId)
  }

  private noteDifference(difference: Difference): void {
    if (this.differences.length < this.mostNamed) this.differences.push(difference)
  }

  private noteDoubled(id: bigint): void {
    this.counts.doubled += 1
    if (this.doubledIds.length < this.mostNamed) this.doubledIds.push(id)
  }
}
