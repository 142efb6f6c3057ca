import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bed } from './bed.js'
import { launch, sourceVariables, type Variables } from './launcher.js'
import { type Measured, measure, type Program } from './measure.js'
import { rowRate } from './statistics.js'

/** What a run of some program over the rows came to. */
export interface Run {
  readonly rows: number
  /** Rows a second while it worked: from before it connects to after its last row, or its commit. */
  readonly rate: number
  /** Of the whole process. */
  readonly wallMs: number
  readonly peakBytes: number | undefined
}

/** A Node program of this package, as a process of its own. */
export function ownProgram(file: string, args: readonly string[]): Program {
  return { command: process.execPath, args: [fileURLToPath(new URL(`../dist/${file}`, import.meta.url)), ...args] }
}

async function drain({ mysql, database }: Bed, table = 'log_scores'): Promise<Run> {
  const measured = await measure(ownProgram('drain.js', [String(mysql.port), database.name, table]))
  mustBeOk('the drain', measured)
  return runOf(measured, JSON.parse(measured.stdout) as Outcome) // what drain.ts prints
}

/** What was measured, and the drains right before and right after it. */
export interface Compared<Measurement> {
  readonly measured: Measurement
  readonly before: Run
  readonly after: Run
}

/** Measures something between two drains of the whole table. */
export async function betweenDrains<Result>(bed: Bed, measureIt: () => Promise<Result>): Promise<Compared<Result>> {
  const before = await drain(bed)
  const measured = await measureIt()
  return { measured, before, after: await drain(bed) }
}

export interface ArchiverRun {
  readonly variables: Variables
  readonly table?: string
}

/** One `./archiver archive`. @throws Error with its log unless it exits with 0. */
export async function archive(bed: Bed, run: ArchiverRun): Promise<Run> {
  const measured = await archiver(bed, ['archive', '--log-format', 'json'], run)
  return runOf(measured, passDone(measured.stderr))
}

/** One run of `./archiver`. @throws Error with its log unless it exits with 0. */
export async function archiver(
  bed: Bed,
  args: readonly string[],
  { variables, table = 'log_scores' }: ArchiverRun,
): Promise<Measured> {
  const measured = await launch({
    args: [...args, '--table', table],
    variables: { ...sourceVariables(bed.database.address), app_valid_tables: `log_scores,${table}`, ...variables },
    cwd: bed.folder,
  })
  mustBeOk(`archiver ${args.join(' ')} (${Object.keys(variables).join(', ')})`, measured)
  return measured
}

/** All rows as one Avro file or object. */
export const inOneAvroBatch: Variables = {
  batch_avro_min_size: '1',
  batch_avro_max_size: '100000000',
  batch_avro_interval: '0s',
}

/** Settings for Avro files, all rows in one batch. */
export function avroVariables(bed: Bed, codec = 'null'): Variables {
  return { avro_path: join(bed.folder, 'avro'), avro_codec: codec, ...inOneAvroBatch }
}

interface Outcome {
  readonly rows: number
  readonly elapsedMs: number
}

/** A line of the archiver's log. */
export interface LogEvent {
  readonly event: string
}

/** The archiver's log, written as JSON. */
export function logEvents(log: string): LogEvent[] {
  const lines = log.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as LogEvent) // every line of the JSON log has one
}

/** The last line of the archiver's log. */
export function passDone(log: string): Outcome {
  const last = logEvents(log).at(-1)
  if (last?.event !== 'pass.done') throw new Error(`the archiver's log does not end with pass.done:\n${log}`)
  return last as LogEvent & Outcome // as LogReporter.passDone writes it
}

function runOf({ wallMs, peakBytes }: Measured, { rows, elapsedMs }: Outcome): Run {
  return { rows, rate: rowRate(rows, elapsedMs), wallMs, peakBytes }
}

export function highestPeak(runs: readonly Pick<Run, 'peakBytes'>[]): number | undefined {
  const peaks = runs.flatMap(({ peakBytes }) => (peakBytes === undefined ? [] : [peakBytes]))
  return peaks.length === 0 ? undefined : Math.max(...peaks)
}

export function mustBeOk(what: string, { exitCode, stdout, stderr }: Measured): void {
  if (exitCode !== 0) throw new Error(`${what} ended with ${exitCode}:\n${stderr || stdout}`)
}
