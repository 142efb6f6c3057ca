import { type Bed, reset } from './bed.js'
import type { Variables } from './launcher.js'
import type { RoundsOptions } from './main-runs.js'
import { type Result, resultOf } from './results.js'
import { archive, archiver, avroVariables, betweenDrains, type Compared, type Run } from './runs.js'
import { ratioToNeighbours, rowRate } from './statistics.js'
import { clickHouseVariables } from './subjects.js'

/** What is verified, and how. */
interface Verification {
  readonly name: string
  readonly archiver: 'fileavro' | 'clickhouse'
  readonly deep: boolean
}

/** The archive sums its rows up itself. */
export const bySums: Verification = { name: 'verify, ClickHouse server', archiver: 'clickhouse', deep: false }
/** Every column of every row. */
export const rowByRow: Verification = { name: 'verify --deep, Avro file', archiver: 'fileavro', deep: true }

/**
 * `./archiver verify` of all rows, which were archived just before, each time between two drains. Rates and ratios are
 * those of whole processes, on both sides.
 */
export async function verifyRuns(bed: Bed, { rounds, quiet, say }: RoundsOptions): Promise<Result[]> {
  const verifications = typeof bed.clickHouse === 'string' ? [rowByRow] : [bySums, rowByRow]
  const variables = await archiveFor(bed, verifications)
  const compared = verifications.map((verification) => ({ verification, all: [] as Compared<Run>[] }))
  for (let round = 1; round <= rounds; round++) {
    say(`  round ${round} of ${rounds}`)
    for (const { verification, all } of compared) {
      await quiet.wait()
      all.push(await betweenDrains(bed, () => verify(bed, verification, variables)))
    }
  }
  return compared.map(({ verification: { name }, all }) =>
    resultOf(
      name,
      all.map(({ measured }) => measured),
      all.map(wholeRatio),
    ),
  )
}

/** Fills the archives, both in one pass. */
async function archiveFor(bed: Bed, verifications: readonly Verification[]): Promise<Variables> {
  await reset(
    bed,
    verifications.map((verification) => verification.archiver),
  )
  const variables = { ...avroVariables(bed), ...(typeof bed.clickHouse === 'string' ? {} : clickHouseVariables(bed)) }
  const { rows } = await archive(bed, { variables })
  const expected = bed.rows * verifications.length
  if (rows !== expected) throw new Error(`verify: ${rows} rows stored of ${expected}`)
  return variables
}

async function verify(bed: Bed, { name, archiver: only, deep }: Verification, variables: Variables): Promise<Run> {
  const args = ['verify', '--only', only, ...(deep ? ['--deep'] : []), '--json']
  const { stdout, wallMs, peakBytes } = await archiver(bed, args, { variables })
  const { archivers } = JSON.parse(stdout) as { archivers: { rows: number }[] } // as JsonReporter.end writes it
  const rows = archivers[0]?.rows ?? 0
  if (rows !== bed.rows) throw new Error(`${name}: ${rows} rows compared of ${bed.rows}`)
  return { rows, rate: rowRate(rows, wallMs), wallMs, peakBytes }
}

function wholeRatio({ measured, before, after }: Compared<Run>): number {
  return ratioToNeighbours(measured.rate, wholeRate(before), wholeRate(after))
}

function wholeRate({ rows, wallMs }: Run): number {
  return rowRate(rows, wallMs)
}
