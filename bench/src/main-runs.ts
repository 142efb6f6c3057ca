import { join } from 'node:path'
import { type Bed, reset } from './bed.js'
import type { Variables } from './launcher.js'
import { archive, avroVariables, drain, highestPeak, type Run } from './runs.js'
import { median, ratioToNeighbours } from './statistics.js'

/** A way to archive the whole table. */
interface Subject {
  readonly name: string
  readonly archiver: 'fileavro' | 'clickhouse'
  readonly variables: (bed: Bed) => Variables
}

/** Medians over the rounds; of the memory the highest. */
export interface Result {
  readonly name: string
  readonly rate: number
  /** To the drains before and after it; 1 for the drain itself. */
  readonly ratio: number
  readonly wallMs: number
  readonly peakBytes: number | undefined
  readonly runs: readonly Run[]
}

const ofClickHouse = { batch_ch_min_size: '1', batch_ch_max_size: '500000' }

const subjects: readonly Subject[] = [
  { name: 'Avro file', archiver: 'fileavro', variables: (bed) => avroVariables(bed) },
  { name: 'Avro file, zstandard', archiver: 'fileavro', variables: (bed) => avroVariables(bed, 'zstandard') },
  {
    name: 'ClickHouse server',
    archiver: 'clickhouse',
    variables: ({ clickHouse }) => {
      if (typeof clickHouse === 'string') throw new Error(clickHouse)
      return { ch_dsn: `${clickHouse.url}/default`, ...ofClickHouse }
    },
  },
  {
    name: 'embedded ClickHouse',
    archiver: 'clickhouse',
    variables: ({ folder }) => ({ ch_dsn: `chdb://${join(folder, 'clickhouse')}`, ...ofClickHouse }),
  },
]

/** Every way to archive the rows, between two drains each, in as many rounds as asked for. */
export async function mainRuns(bed: Bed, rounds: number, say: (text: string) => void): Promise<Result[]> {
  const possible = subjects.filter(({ name }) => name !== 'ClickHouse server' || typeof bed.clickHouse !== 'string')
  if (typeof bed.clickHouse === 'string') say(`  ClickHouse server: left out. ${bed.clickHouse}`)
  const drains: Run[] = []
  const runs = new Map(possible.map(({ name }) => [name, [] as { run: Run; ratio: number }[]]))
  for (let round = 1; round <= rounds; round++) {
    say(`  round ${round} of ${rounds}`)
    drains.push(await drain(bed))
    for (const { name, archiver, variables } of possible) {
      await reset(bed, [archiver])
      const run = await archive(bed, { variables: variables(bed) })
      if (run.rows !== bed.rows) throw new Error(`${name}: ${run.rows} rows stored of ${bed.rows}`)
      const before = drains.at(-1)!
      const after = await drain(bed)
      drains.push(after)
      runs.get(name)!.push({ run, ratio: ratioToNeighbours(run.rate, before.rate, after.rate) })
    }
  }
  const ofDrain = resultOf('drain: mysql2 execute(), rows dropped', drains, [1])
  return [
    ofDrain,
    ...[...runs].map(([name, all]) =>
      resultOf(
        name,
        all.map(({ run }) => run),
        all.map(({ ratio }) => ratio),
      ),
    ),
  ]
}

export function resultOf(name: string, runs: readonly Run[], ratios: readonly number[]): Result {
  return {
    name,
    rate: median(runs.map(({ rate }) => rate)),
    ratio: median(ratios),
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
    peakBytes: highestPeak(runs),
    runs,
  }
}
