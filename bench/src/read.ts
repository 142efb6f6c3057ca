import { type Bed, reset } from './bed.js'
import { launch, sourceVariables, type Variables } from './launcher.js'
import type { RoundsOptions } from './main-runs.js'
import { type Result, resultOf } from './results.js'
import { archive, avroVariables, betweenDrains, type Compared, mustBeOk, type Run } from './runs.js'
import { ratioToNeighbours, rowRate } from './statistics.js'

/** How rows are read out. */
interface Reading {
  readonly name: string
  readonly format: 'ndjson' | 'csv' | 'avro' | 'parquet'
  /** No row takes fewer bytes. */
  readonly leastBytes: number
}

export const asNdjson: Reading = { name: 'read, NDJSON', format: 'ndjson', leastBytes: 120 }

const readings: readonly Reading[] = [
  asNdjson,
  { name: 'read, CSV', format: 'csv', leastBytes: 40 },
  { name: 'read, Avro', format: 'avro', leastBytes: 20 },
  { name: 'read, Parquet', format: 'parquet', leastBytes: 10 },
]

/**
 * `./archiver read fileavro` of all rows into a pipe whose reader drops them, each time between two drains. Rates and ratios
 * are those of whole processes, on both sides.
 */
export async function readRuns(bed: Bed, { rounds, quiet, say }: RoundsOptions): Promise<Result[]> {
  await reset(bed, ['fileavro'])
  const variables = avroVariables(bed)
  const { rows } = await archive(bed, { variables })
  if (rows !== bed.rows) throw new Error(`read: ${rows} rows stored of ${bed.rows}`)
  const compared = readings.map((reading) => ({ reading, all: [] as Compared<Run>[] }))
  for (let round = 1; round <= rounds; round++) {
    say(`  round ${round} of ${rounds}`)
    for (const { reading, all } of compared) {
      await quiet.wait()
      all.push(await betweenDrains(bed, () => read(bed, reading, variables)))
    }
  }
  return compared.map(({ reading: { name }, all }) =>
    resultOf(
      name,
      all.map(({ measured }) => measured),
      all.map(({ measured, before, after }) => ratioToNeighbours(measured.rate, wholeRate(before), wholeRate(after))),
    ),
  )
}

async function read({ database, rows, folder }: Bed, reading: Reading, variables: Variables): Promise<Run> {
  const measured = await launch({
    args: ['read', 'fileavro', '--format', reading.format],
    variables: { ...sourceVariables(database.address), ...variables },
    cwd: folder,
    dropOutput: true,
  })
  mustBeOk(reading.name, measured)
  const { wallMs, peakBytes, stdoutBytes } = measured
  if (stdoutBytes < rows * reading.leastBytes) throw new Error(`${reading.name}: ${stdoutBytes} bytes for ${rows} rows`)
  return { rows, rate: rowRate(rows, wallMs), wallMs, peakBytes }
}

function wholeRate({ rows, wallMs }: Run): number {
  return rowRate(rows, wallMs)
}
