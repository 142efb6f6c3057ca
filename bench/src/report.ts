import type { BatchMemory } from './flatness.js'
import type { Idle } from './idle.js'
import type { Machine } from './machine.js'
import type { MainRuns, Result } from './main-runs.js'
import type { OtherResult } from './others.js'
import { type Figures, targets } from './targets.js'
import { count, megabytes, seconds, textTable } from './text.js'

export interface Report extends Figures, MainRuns {
  readonly date: string
  readonly rows: number
  readonly rounds: number
  readonly machine: Machine
  readonly others: readonly OtherResult[]
}

/** All tables, in Markdown. */
export function reportText(report: Report): string {
  const { machine: m, date, rows, rounds } = report
  const memory = Math.round(m.memoryBytes / 2 ** 30)
  return [
    `${date}; ${m.cpu}, ${m.cores} cores, ${memory} GB, Linux ${m.kernel}; Node ${m.node}, MySQL server ${m.mysql}, ` +
      `ClickHouse ${m.clickHouse}, chDB ${m.chdb}; load before: ${m.loadBefore.toFixed(1)}`,
    `${count(rows)} rows; medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, of the memory the highest. ` +
      `Others were using the machine at the start of ${report.disturbed} of ${report.measurements} measurements.`,
    textTable([...report.results.map(resultRow), ...report.others.map(otherRow)]),
    ...(report.flat.length === 0 ? [] : ['One batch into an Avro file:', textTable(report.flat.map(flatRow))]),
    '`./archiver archive` with nothing to do:',
    textTable(report.idle.map(idleRow)),
    ...report.idle.map(loadedText),
    'Must be reached:',
    textTable(targets(report).map(({ reached, ...rest }) => ({ ...rest, '': reached ? 'yes' : 'NO' }))),
  ].join('\n\n')
}

function resultRow({ name, rate, ratio, wallMs, peakBytes }: Omit<Result, 'runs'>): Record<string, string> {
  return {
    what: name,
    'rows/s': count(rate),
    'to the drain': ratio.toFixed(2),
    'peak MB': peakBytes === undefined ? '–' : megabytes(peakBytes),
    'process, s': seconds(wallMs),
  }
}

function otherRow(other: OtherResult): Record<string, string> {
  if ('why' in other) return { what: `${other.name}: ${other.why}` }
  return resultRow(other)
}

function flatRow({ rows, peakBytes, runs }: BatchMemory): Record<string, string> {
  const each = runs.map((run) => (run.peakBytes === undefined ? '–' : megabytes(run.peakBytes))).join(', ')
  return { rows: count(rows), 'peak MB': peakBytes === undefined ? '–' : megabytes(peakBytes), 'each run': each }
}

function idleRow({ name, wallMs, wallsMs, peakBytes }: Idle): Record<string, string> {
  return {
    'turned on': name,
    'median ms': count(wallMs),
    'lowest ms': count(Math.min(...wallsMs)),
    'highest ms': count(Math.max(...wallsMs)),
    'peak MB': peakBytes === undefined ? '–' : megabytes(peakBytes),
  }
}

/** Of all that a pass may need, the adapters and the client libraries behind them. */
const onlyWhenUsed =
  /^(@archiver\/(avro|.*-avro|clickhouse|bigquery|cleanup)|@clickhouse\/.*|@google-cloud\/.*|chdb|snappy|pino-pretty)$/

function loadedText({ name, loaded }: Idle): string {
  const parts = Object.entries(loaded).filter(([part]) => onlyWhenUsed.test(part))
  return `Of the adapters and their clients, ${name} loaded: ${parts.map(([part, modules]) => `${part} (${modules} modules)`).join(', ')}.`
}
