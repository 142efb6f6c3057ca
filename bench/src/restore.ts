import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dropTables } from '@archiver/testkit'
import { type Bed, makeCopy, reset } from './bed.js'
import type { Variables } from './launcher.js'
import type { RoundsOptions } from './main-runs.js'
import { type Result, resultOf } from './results.js'
import { archive, archiver, avroVariables, type Run } from './runs.js'
import { ratioToNeighbours, rowRate } from './statistics.js'

/** The table whose archive is restored, and the one that rows come into: with all keys of the source, and empty. */
const source = 'bench_restore'
const target = 'bench_restored'

const fromFile = 'restore, Avro file'
const fromExactFile = 'restore, Avro file of avro_schema=2'
export const restoreNames: readonly string[] = [fromFile, fromExactFile]

const settings: Readonly<Record<string, Variables>> = {
  [fromFile]: {},
  [fromExactFile]: { avro_schema: '2' },
}

/**
 * `./archiver restore` of so many rows into an empty table, whole processes, each between two runs of the server's own LOAD
 * DATA of the same rows from a file of the server's. It flushes to disk at every commit meanwhile, as one in earnest does.
 */
export async function restoreRuns(bed: Bed, rows: number, options: RoundsOptions): Promise<Result[]> {
  const { connection, folder } = bed
  const file = join(folder, '..', `${bed.database.name}.tsv`)
  await makeCopy(bed, source, rows)
  await connection.query(`select * from ${source} order by id into outfile '${file}'`)
  await connection.query('set global innodb_flush_log_at_trx_commit = 1')
  try {
    const loads: Run[] = []
    const results: Result[] = []
    for (const name of restoreNames) results.push(await measureOne(bed, name, rows, file, loads, options))
    return [resultOf("LOAD DATA, the server's own", loads, [1]), ...results]
  } finally {
    await connection.query('set global innodb_flush_log_at_trx_commit = 0')
    await connection.query(`drop table if exists ${target}`)
    await dropTables(connection, source)
    await rm(file, { force: true })
  }
}

async function measureOne(
  bed: Bed,
  name: string,
  rows: number,
  file: string,
  loads: Run[],
  { rounds, quiet, say }: RoundsOptions,
): Promise<Result> {
  const variables = { ...avroVariables(bed), ...settings[name] }
  await reset(bed, ['fileavro'], source)
  const stored = await archive(bed, { variables, table: source })
  if (stored.rows !== rows) throw new Error(`${name}: ${stored.rows} rows stored of ${rows}`)
  const runs: Run[] = []
  const ratios: number[] = []
  for (let round = 1; round <= rounds; round++) {
    say(`  ${name}: round ${round} of ${rounds}`)
    await quiet.wait()
    const before = await load(bed, file, rows)
    const run = await restore(bed, rows, variables)
    const after = await load(bed, file, rows)
    runs.push(run)
    loads.push(before, after)
    ratios.push(ratioToNeighbours(run.rate, before.rate, after.rate))
  }
  return resultOf(name, runs, ratios)
}

async function emptyTarget({ connection }: Bed): Promise<void> {
  await connection.query(`drop table if exists ${target}`)
  await connection.query(`create table ${target} like log_scores`)
}

async function load(bed: Bed, file: string, rows: number): Promise<Run> {
  await emptyTarget(bed)
  const startedMs = performance.now()
  await bed.connection.query(`load data infile '${file}' into table ${target}`)
  const wallMs = performance.now() - startedMs
  return { rows, rate: rowRate(rows, wallMs), wallMs, peakBytes: undefined }
}

async function restore(bed: Bed, rows: number, variables: Variables): Promise<Run> {
  await emptyTarget(bed)
  const { wallMs, peakBytes, stdout } = await archiver(bed, ['restore', 'fileavro', '--into', target], {
    variables,
    table: source,
  })
  const expected = `${rows.toLocaleString('en-US')} restored`
  if (!stdout.includes(expected)) throw new Error(`restore: expected ${expected}:\n${stdout}`)
  return { rows, rate: rowRate(rows, wallMs), wallMs, peakBytes }
}
