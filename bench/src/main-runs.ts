import { join } from 'node:path'
import { type Bed, reset } from './bed.js'
import type { Variables } from './launcher.js'
import { quiet } from './quiet.js'
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

export interface MainOptions {
  readonly rounds: number
  /** How long to wait for a quiet moment before each measurement. */
  readonly waitMs: number
  readonly say: (text: string) => void
}

export interface MainRuns {
  readonly results: readonly Result[]
  /** Measurements that began while others were using the machine. */
  readonly disturbed: number
  readonly measurements: number
}

/** Every way to archive the rows, each between two drains of its own, in as many rounds as asked for. */
export async function mainRuns(bed: Bed, { rounds, waitMs, say }: MainOptions): Promise<MainRuns> {
  const possible = subjects.filter(({ name }) => name !== 'ClickHouse server' || typeof bed.clickHouse !== 'string')
  if (typeof bed.clickHouse === 'string') say(`  ClickHouse server: left out. ${bed.clickHouse}`)
  const measured = possible.map((subject) => ({ subject, all: [] as Compared[] }))
  let disturbed = 0
  for (let round = 1; round <= rounds; round++) {
    say(`  round ${round} of ${rounds}`)
    for (const { subject, all } of measured) {
      await reset(bed, [subject.archiver])
      if (!(await quiet(waitMs))) disturbed += 1
      all.push(await compare(bed, subject))
    }
  }
  const drains = measured.flatMap(({ all }) => all.flatMap((compared) => compared.drains))
  const results = measured.map(({ subject, all }) => {
    const [runs, ratios] = [all.map(({ run }) => run), all.map(({ ratio }) => ratio)]
    return resultOf(subject.name, runs, ratios)
  })
  const ofDrain = resultOf('drain: mysql2 execute(), rows dropped', drains, [1])
  return { results: [ofDrain, ...results], disturbed, measurements: rounds * possible.length }
}

interface Compared {
  readonly run: Run
  readonly ratio: number
  readonly drains: readonly Run[]
}

async function compare(bed: Bed, { name, variables }: Subject): Promise<Compared> {
  const before = await drain(bed)
  const run = await archive(bed, { variables: variables(bed) })
  if (run.rows !== bed.rows) throw new Error(`${name}: ${run.rows} rows stored of ${bed.rows}`)
  const after = await drain(bed)
  return { run, ratio: ratioToNeighbours(run.rate, before.rate, after.rate), drains: [before, after] }
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
