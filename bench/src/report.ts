import type { Cleanup } from './cleanup.js'
import type { BatchMemory } from './flatness.js'
import { adaptersAndClients, type Idle } from './idle.js'
import type { Latencies } from './inserts.js'
import type { Machine } from './machine.js'
import type { OtherResult } from './others.js'
import type { Result } from './results.js'
import type { Service, ServiceIdle } from './service.js'
import { rowRate } from './statistics.js'
import { type Figures, targets } from './targets.js'
import { count, megabytes, seconds, textTable } from './text.js'

export interface Report extends Figures {
  readonly date: string
  readonly rows: number
  readonly rounds: number
  readonly machine: Machine
  readonly measurements: number
  /** Measurements that began while others were using the machine. */
  readonly disturbed: number
  readonly others: readonly OtherResult[]
}

/** All tables, in Markdown; none for a part that was left out. */
export function reportText(report: Report): string {
  const { results, others, verify, restore, read, cleanup, flat, idle } = report
  return [
    ...headLines(report),
    ...titled([], [...results.map(resultRow), ...others.map(otherRow)]),
    ...titled(['`./archiver verify` of all rows, whole processes:'], verify.map(resultRow)),
    ...titled(['`./archiver restore` into an empty table, whole processes:'], restore.map(restoreRow)),
    ...titled(['`./archiver read fileavro` of all rows into a pipe, whole processes:'], read.map(resultRow)),
    ...(cleanup === undefined ? [] : cleanupLines(cleanup)),
    ...titled(['One batch into an Avro file:'], flat.map(flatRow)),
    ...titled(['`./archiver archive` with nothing to do:'], idle.map(idleRow)),
    ...idle.map(loadedText),
    ...(report.service === undefined ? [] : serviceLines(report.service)),
    ...titled(
      ['Must be reached:'],
      targets(report).map(({ reached, ...rest }) => ({ ...rest, '': reached ? 'yes' : 'NO' })),
    ),
  ].join('\n\n')
}

function headLines({ machine: m, date, rows, rounds, disturbed, measurements }: Report): string[] {
  const memory = Math.round(m.memoryBytes / 2 ** 30)
  return [
    `${date}; ${m.cpu}, ${m.cores} cores, ${memory} GB, Linux ${m.kernel}; Node ${m.node}, MySQL server ${m.mysql}, ` +
      `ClickHouse ${m.clickHouse}, chDB ${m.chdb}; load before: ${m.loadBefore.toFixed(1)}`,
    `${count(rows)} rows; medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, of the memory the highest. ` +
      `Others were using the machine at the start of ${disturbed} of ${measurements} measurements.`,
  ]
}

type Row = Readonly<Record<string, string | number>>

function titled(title: readonly string[], rows: readonly Row[]): string[] {
  return rows.length === 0 ? [] : [...title, textTable(rows)]
}

function resultRow({ name, rate, ratio, wallMs, peakBytes }: Omit<Result, 'runs'>): Row {
  return {
    what: name,
    'rows/s': count(rate),
    'to the drain': ratio.toFixed(2),
    'peak MB': peakText(peakBytes),
    'process, s': seconds(wallMs),
  }
}

function restoreRow({ name, rate, ratio, wallMs, peakBytes }: Omit<Result, 'runs'>): Row {
  return {
    what: name,
    'rows/s': count(rate),
    'to LOAD DATA': ratio.toFixed(2),
    'peak MB': peakText(peakBytes),
    'process, s': seconds(wallMs),
  }
}

function otherRow(other: OtherResult): Row {
  if ('why' in other) return { what: `${other.name}: ${other.why}` }
  return resultRow(other)
}

function flatRow({ rows, peakBytes, runs }: BatchMemory): Row {
  const each = runs.map((run) => peakText(run.peakBytes)).join(', ')
  return { rows: count(rows), 'peak MB': peakText(peakBytes), 'each run': each }
}

function idleRow({ name, wallMs, wallsMs, peakBytes }: Idle): Row {
  return {
    'turned on': name,
    'median ms': count(wallMs),
    'lowest ms': count(Math.min(...wallsMs)),
    'highest ms': count(Math.max(...wallsMs)),
    'peak MB': peakText(peakBytes),
  }
}

function serviceLines({ idle, lag }: Service): string[] {
  const row = (when: string, { elapsedMs, cpuShare, memoryBytes }: ServiceIdle) => ({
    when,
    's measured': seconds(elapsedMs),
    'CPU, % of a core': (cpuShare * 100).toFixed(2),
    'most MB': megabytes(memoryBytes),
  })
  const under = `${count(lag.rowsPerSecond)} rows arriving a second`
  return [
    '`./archiver run` into an Avro folder and a ClickHouse server:',
    textTable([row('nothing to do', idle), row(under, lag)]),
    `From insert to commit in ClickHouse: p50 ${count(lag.p50Ms)} ms, p99 ${count(lag.p99Ms)} ms, longest ${count(lag.longestMs)} ms.`,
  ]
}

function cleanupLines({ rows, inserts, longestStatement, ...deletions }: Cleanup): string[] {
  const { wallMs, passes, transactions, longestTransactionMs, peakBytes } = deletions
  const row = {
    rows: count(rows),
    'rows/s': count(rowRate(rows, wallMs)),
    s: seconds(wallMs),
    passes,
    transactions,
    'longest ms': count(longestTransactionMs),
    'longest statement, ms': longestStatement === undefined ? '–' : count(longestStatement.elapsedMs),
    'peak MB': peakText(peakBytes),
  }
  return [
    '`./archiver archive --only cleanup` until no old row is left:',
    textTable([row]),
    ...(longestStatement === undefined ? [] : [`The longest statement: \`${longestStatement.text.slice(0, 100)} …\``]),
    'Inserts of a row each, a hundred a second, on the same table:',
    textTable([insertsRow('without the cleaner', inserts.without), insertsRow('while it works', inserts.with)]),
  ]
}

function insertsRow(when: string, { inserts, p50Ms, p99Ms, longestMs }: Latencies): Row {
  const ms = (value: number) => value.toFixed(1)
  return { when, inserts: count(inserts), 'p50 ms': ms(p50Ms), 'p99 ms': ms(p99Ms), 'longest ms': ms(longestMs) }
}

function peakText(bytes: number | undefined): string {
  return bytes === undefined ? '–' : megabytes(bytes)
}

function loadedText({ name, loaded }: Idle): string {
  const found = adaptersAndClients.filter((part) => part in loaded).map((part) => `${part} (${loaded[part]} modules)`)
  const rest = adaptersAndClients.filter((part) => !(part in loaded))
  return `Of the adapters and their clients, ${name} loaded: ${found.join(', ')}. Not loaded: ${rest.join(', ')}.`
}
