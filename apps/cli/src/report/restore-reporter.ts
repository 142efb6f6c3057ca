import type { IdRange, RestoreStanding } from '@archiver/core'
import type { Difference, RestoreCounts, RestoreResult, Selection } from '@archiver/restore'
import { printError, printLine, standardError } from '../standard-streams.js'
import { barText, count, rate, seconds } from './quantities.js'
import { valueText } from './value-text.js'

const REDRAW_INTERVAL_MS = 100

/** What a restore is about. */
export interface RestoreSubject {
  readonly archive: string
  readonly into: string
  readonly dryRun: boolean
}

/** What is known before it begins. */
export interface RestoreBeginning {
  readonly range: IdRange
  readonly selection: Selection
  readonly lastId: bigint | null
  readonly lost: readonly string[]
  readonly standing: RestoreStanding | null
  readonly local: boolean
}

/** Tells a person about a restore: lines on standard output, a bar on standard error if that is a terminal. */
export class RestoreReporter {
  private readonly subject: RestoreSubject
  private readonly bar: Pick<NodeJS.WriteStream, 'isTTY'>
  private readonly startedMs = performance.now()
  private drawnMs = 0
  private begun = false
  private endId: bigint | null = null
  private firstId: bigint | undefined
  private counts: RestoreCounts | undefined

  constructor(subject: RestoreSubject, bar: Pick<NodeJS.WriteStream, 'isTTY'>) {
    this.subject = subject
    this.bar = bar
  }

  begin({ range, selection, lastId, lost, standing, local }: RestoreBeginning): void {
    const { archive, into, dryRun } = this.subject
    this.begun = true
    this.endId = lastId !== null && lastId < range.upToId ? lastId : range.upToId
    const { serverId } = selection
    const whose = serverId === undefined ? '' : ` of server ${serverId}`
    const end = this.endId > 2n ** 63n ? 'the end' : String(this.endId)
    printLine(`${archive} into ${into}: rows${whose} with ids from ${range.afterId + 1n} to ${end}`)
    if (standing?.limit)
      printLine(`  the lowest mark of ${into} is ${standing.limit.id}, of ${standing.limit.archiver}`)
    for (const one of lost) printLine(`  ${one}`)
    if (!local && !dryRun)
      printLine('  the server does not allow LOAD DATA LOCAL (local_infile): by inserts, which take longer')
  }

  readonly progress = (counts: RestoreCounts, lastId: bigint): void => {
    this.counts = counts
    this.firstId ??= lastId
    const nowMs = performance.now()
    if (!this.bar.isTTY || nowMs - this.drawnMs < REDRAW_INTERVAL_MS) return
    this.drawnMs = nowMs
    const end = this.endId === null || this.endId < lastId ? lastId : this.endId
    // By ids, of which there may be more than rows.
    const part = Number(lastId - this.firstId + 1n) / Number(end - this.firstId + 1n)
    const advance = { name: this.subject.into, part, rows: counts.rows, elapsedMs: nowMs - this.startedMs }
    standardError.write(`\r\x1b[K${barText(advance)}`)
  }

  done(result: RestoreResult): void {
    this.clear()
    for (const line of resultLines(this.subject, result, performance.now() - this.startedMs)) printLine(line)
  }

  /** After a failure: what was done, and how to go on. */
  broken(): void {
    this.clear()
    const { restored = 0 } = this.counts ?? {}
    if (!this.begun || this.subject.dryRun) return
    const done = restored === 0 ? 'nothing was restored' : `${count(restored)} rows were restored and stay`
    printError(`${done}. Run the same command again to go on: rows that are there are compared and passed over.`)
  }

  private clear(): void {
    if (this.bar.isTTY) standardError.write('\r\x1b[K')
  }
}

function resultLines({ archive, into, dryRun }: RestoreSubject, result: RestoreResult, elapsedMs: number): string[] {
  const { rows, restored, rounded, same, different, doubled, differences, doubledIds } = result
  const written = `${count(restored)} ${dryRun ? 'would be restored' : 'restored'}`
  const loss = rounded === 0 ? '' : ` (${rounded === restored ? 'all' : count(rounded)} with the losses above)`
  const found = `${count(same)} were there and are the same, ${count(different)} were there and are different`
  const speed = `${seconds(elapsedMs)}, ${rate(rows, elapsedMs)}`
  return [
    `${into}: ${count(rows)} rows of ${archive}: ${written}${loss}, ${found} (${speed})`,
    ...differences.map((one) => `  different: ${differenceText(one, into)}`),
    ...(different > differences.length ? [`  and ${count(different - differences.length)} more`] : []),
    ...(different > 0 ? [`  what is in ${into} was left as it is`] : []),
    ...(doubled > 0 ? [`  ${archive} holds ${count(doubled)} rows twice: ids ${namedIds(doubledIds, doubled)}`] : []),
  ]
}

function differenceText({ id, columns }: Difference, into: string): string {
  const texts = columns.map(
    ({ column, source, archive }) =>
      `${column} is ${valueText(archive)} in ${into}, ${valueText(source)} in the archive`,
  )
  return `id ${id}: ${texts.join('; ')}`
}

function namedIds(ids: readonly bigint[], all: number): string {
  return `${ids.join(', ')}${all > ids.length ? ', …' : ''}`
}
