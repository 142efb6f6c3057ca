import { type Bed, reset } from './bed.js'
import type { Variables } from './launcher.js'
import type { Quiet } from './quiet.js'
import { type Result, resultOf } from './results.js'
import { archive, betweenDrains, type Compared, type Run } from './runs.js'
import { ratioToNeighbours } from './statistics.js'
import { type Subject, subjects } from './subjects.js'

export interface RoundsOptions {
  readonly rounds: number
  readonly quiet: Quiet
  readonly say: (text: string) => void
}

/** Every way to archive the rows, each between two drains of its own, in as many rounds as asked for. */
export async function mainRuns(bed: Bed, { rounds, quiet, say }: RoundsOptions): Promise<Result[]> {
  const measured = possible(bed, say).map((subject) => ({ subject, all: [] as Compared<Run>[] }))
  for (let round = 1; round <= rounds; round++) {
    say(`  round ${round} of ${rounds}`)
    for (const { subject, all } of measured) {
      await reset(bed, [subject.archiver])
      const variables = await subject.variables(bed)
      await quiet.wait()
      all.push(await betweenDrains(bed, () => archiveAll(bed, subject.name, variables)))
    }
  }
  const drains = measured.flatMap(({ all }) => all.flatMap(({ before, after }) => [before, after]))
  const results = measured.map(({ subject, all }) =>
    resultOf(
      subject.name,
      all.map(({ measured: run }) => run),
      all.map(ratioOf),
    ),
  )
  return [resultOf('drain: mysql2 execute(), rows dropped', drains, [1]), ...results]
}

function possible(bed: Bed, say: (text: string) => void): Subject[] {
  return subjects.filter(({ name, missing }) => {
    const why = missing?.(bed)
    if (why !== undefined) say(`  ${name}: left out. ${why}`)
    return why === undefined
  })
}

async function archiveAll(bed: Bed, name: string, variables: Variables): Promise<Run> {
  const run = await archive(bed, { variables })
  if (run.rows !== bed.rows) throw new Error(`${name}: ${run.rows} rows stored of ${bed.rows}`)
  return run
}

function ratioOf({ measured, before, after }: Compared<Run>): number {
  return ratioToNeighbours(measured.rate, before.rate, after.rate)
}
