import { dropTables } from '@archiver/testkit'
import { type Bed, makeCopy, reset } from './bed.js'
import { archive, avroVariables, highestPeak, type Run } from './runs.js'
import { count } from './text.js'

/** The memory that one batch of this size takes on its way into an Avro file. */
export interface BatchMemory {
  readonly rows: number
  readonly runs: readonly Run[]
  /** The highest of the runs. */
  readonly peakBytes: number | undefined
}

/** One batch of a tenth of the rows, and one of all, in as many rounds as asked for. */
export async function flatness(
  bed: Bed,
  largest: number,
  rounds: number,
  say: (text: string) => void,
): Promise<BatchMemory[]> {
  const results: BatchMemory[] = []
  for (const rows of [Math.round(largest / 10), largest]) {
    say(`  one batch of ${count(rows)} rows`)
    const runs = await batches(bed, `flat_${rows}`, rows, rounds)
    results.push({ rows, runs, peakBytes: highestPeak(runs) })
  }
  return results
}

async function batches(bed: Bed, table: string, rows: number, rounds: number): Promise<Run[]> {
  await makeCopy(bed, table, rows)
  const runs: Run[] = []
  for (let round = 0; round < rounds; round++) {
    await reset(bed, ['fileavro'], table)
    const run = await archive(bed, { variables: avroVariables(bed), table })
    if (run.rows !== rows) throw new Error(`${table}: ${run.rows} rows stored of ${rows}`)
    runs.push(run)
  }
  await dropTables(bed.connection, table)
  return runs
}
