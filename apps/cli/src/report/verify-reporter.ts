import { harmlessText, type IdRange } from '@archiver/core'
import type { DeletedRows, DifferentColumn, Finding, Verification } from '@archiver/core/reconcile'
import { printError, printLine, standardError, standardOutput } from '../standard-streams.js'
import { errorFields, errorLine } from './error-lines.js'
import { barText, count, rate, seconds } from './quantities.js'
import { valueText } from './value-text.js'

/** What came out for one archive. */
export interface Verified {
  readonly archiver: string
  readonly found: Verification
  /** Whether there is no difference. */
  readonly ok: boolean
  /** Rows of the range that `archiver skip` took out. */
  readonly skippedRows: number
  readonly deep: boolean
  readonly elapsedMs: number
}

/** Tells a person or a program what a verification finds. */
export interface VerifyReporter {
  /** Rows compared since the last call, of the range. */
  progress(archiver: string, rows: number, range: IdRange): void
  done(verified: Verified): void
  skipped(archiver: string, why: string): void
  /** Without an archiver: what ended the command. */
  failed(archiver: string | undefined, error: unknown): void
  end(table: string): void
  /** Whether it prints one document, which tells of every error too. */
  readonly isDocument: boolean
}

export function createVerifyReporter(json: boolean): VerifyReporter {
  return json ? new JsonReporter() : new TextReporter(process.stderr)
}

const REDRAW_INTERVAL_MS = 100

/** Lines on standard output; a bar on standard error while it works, if that is a terminal. */
class TextReporter implements VerifyReporter {
  readonly isDocument = false
  private readonly bar: Pick<NodeJS.WriteStream, 'isTTY'>
  private running = { archiver: '', rows: 0, startedMs: 0 }
  private drawnMs = 0

  constructor(bar: Pick<NodeJS.WriteStream, 'isTTY'>) {
    this.bar = bar
  }

  progress(archiver: string, rows: number, { afterId, upToId }: IdRange): void {
    if (this.running.archiver !== archiver) this.running = { archiver, rows: 0, startedMs: performance.now() }
    const { running } = this
    running.rows += rows
    const nowMs = performance.now()
    if (!this.bar.isTTY || nowMs - this.drawnMs < REDRAW_INTERVAL_MS) return
    this.drawnMs = nowMs
    // By ids, of which there may be more than rows.
    const part = Math.min(1, running.rows / Number(upToId - afterId))
    const advance = { name: archiver, part, rows: running.rows, elapsedMs: nowMs - running.startedMs }
    standardError.write(`\r\x1b[K${barText(advance)}`)
  }

  done({ archiver, found, skippedRows, deep, elapsedMs }: Verified): void {
    this.clear()
    for (const line of linesOf(archiver, found, deep, elapsedMs)) printLine(line)
    if (found.deleted.rows > 0) printLine(`  ${deletedText(found.deleted)}`)
    if (skippedRows > 0) printLine(`  ${rowsText(skippedRows)} taken out by archiver skip: not expected there`)
  }

  skipped(archiver: string, why: string): void {
    printLine(`${archiver}: ${why}`)
  }

  failed(archiver: string | undefined, error: unknown): void {
    this.clear()
    printError(`${archiver ?? 'archiver'}: ${archiver === undefined ? '' : 'FAILED: '}${errorLine(error, archiver)}`)
  }

  end(): void {}

  private clear(): void {
    this.running = { archiver: '', rows: 0, startedMs: 0 }
    if (this.bar.isTTY) standardError.write('\r\x1b[K')
  }
}

function linesOf(archiver: string, { range, rows, counts, named }: Verification, deep: boolean, ms: number): string[] {
  if (range === null) return [`${archiver}: the source has no row of this range any more`]
  const compared = `ids ${range.afterId + 1n} to ${range.upToId}, ${rowsText(rows)}`
  const kinds = Object.entries(counts).filter(([, found]) => found > 0)
  const how = deep ? 'the same in every column' : 'the same by rows, ids, servers and times'
  const found = kinds.map(([kind, number]) => `${count(number)} ${kind}`).join(', ')
  const first = `${archiver}: ${compared}: ${found || how} (${seconds(ms)}, ${rate(rows, ms)})`
  // A run of rows is one that is named and many that are counted.
  const rest = kinds.reduce((sum, [, number]) => sum + number, 0) - named.reduce((sum, one) => sum + sizeOf(one), 0)
  return [first, ...named.map((one) => `  ${findingText(one)}`), ...(rest > 0 ? [`  and ${count(rest)} more`] : [])]
}

/** Rows that are in the archive alone, and are no difference. */
function deletedText({ rows, servers, moreServers }: DeletedRows): string {
  const named = servers.map(({ serverId, rows: ofServer }) => `${serverId} (${count(ofServer)})`).join(', ')
  const which = servers.length === 1 && !moreServers ? 'server' : 'servers'
  return `${rowsText(rows)} deleted from MySQL since, of ${which} ${named}${moreServers ? ', …' : ''}`
}

function sizeOf(finding: Finding): number {
  return 'rows' in finding ? finding.rows : 1
}

function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'different':
      return `different: id ${finding.id}: ${finding.columns.map(columnText).join('; ')}`
    case 'unreadable':
      return `unreadable: ${harmlessText(finding.message)}`
    case 'gone':
      return `gone: ${harmlessText(finding.identity)}`
    default: {
      const { kind, firstId, lastId, rows } = finding
      return `${kind}: ${rows === 1 ? `id ${firstId}` : `ids ${firstId} to ${lastId} (${rowsText(rows)})`}`
    }
  }
}

function columnText({ column, source, archive }: DifferentColumn): string {
  return `${column} is ${valueText(archive)}, should be ${valueText(source)}`
}

function rowsText(rows: number): string {
  return `${count(rows)} ${rows === 1 ? 'row' : 'rows'}`
}

/** One document on standard output, at the end. */
class JsonReporter implements VerifyReporter {
  readonly isDocument = true
  /** By archiver; what a repair has left counts, not what it found. */
  private readonly results = new Map<string, { readonly ok: boolean }>()

  progress(): void {}

  done({ archiver, found, ok, skippedRows, deep, elapsedMs }: Verified): void {
    const { range, rows, counts, deleted: deletedFromSource, named: findings } = found
    const place = range && { firstId: range.afterId + 1n, lastId: range.upToId }
    const result = {
      archiver,
      ok,
      ...place,
      rows,
      skippedRows,
      deep,
      elapsedMs: Math.round(elapsedMs),
      counts,
      deletedFromSource,
      findings,
    }
    this.results.set(archiver, result)
  }

  skipped(archiver: string, why: string): void {
    const result = { archiver, ok: true, skipped: why }
    this.results.set(archiver, result)
  }

  failed(archiver: string | undefined, error: unknown): void {
    const result = { archiver, ok: false, error: errorFields(error) }
    this.results.set(archiver ?? '', result)
  }

  end(table: string): void {
    const archivers = [...this.results.values()]
    const ok = archivers.every((result) => result.ok)
    standardOutput.write(`${JSON.stringify({ table, ok, archivers }, plain, 2)}\n`)
  }
}

/** Ids as text, since numbers of JSON end at 2^53-1; so are numbers that it has no form for. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return harmlessText(value)
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
