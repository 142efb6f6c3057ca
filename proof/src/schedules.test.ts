import { describeNeeding, sharedClickHouse, sharedFakeGcs, sharedMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ARCHIVERS } from './archives.js'
import { Lane } from './schedule/lane.js'
import { type Played, play } from './schedule/play.js'
import { countedKinds, SeedResults } from './schedule/results.js'
import { Runners } from './schedule/runners.js'
import { scheduleOf } from './schedule/schedule.js'
import { isBetweenSuccessAndCommit, type PlannedTrouble } from './schedule/troubles.js'

/** `PROOF_SEED=17` plays one schedule and shows what happened; `PROOF_SCHEDULES=5000` plays more, from `PROOF_FIRST` on. */
const { PROOF_SEED, PROOF_SCHEDULES = '200', PROOF_FIRST = '1', PROOF_LANES = '6', PROOF_RESULTS } = process.env
/** `PROOF_RESULTS=FILE` keeps what came of each, and leaves out what is in the file; see run-seeds.ts. */
const results = new SeedResults(PROOF_RESULTS)
const seeds = PROOF_SEED
  ? [Number(PROOF_SEED)]
  : Array.from({ length: Number(PROOF_SCHEDULES) }, (_, i) => Number(PROOF_FIRST) + i).filter((i) => !results.has(i))

const needs = { mysql: sharedMySql, clickhouse: sharedClickHouse, gcs: sharedFakeGcs }

await describeNeeding('schedules of troubles', needs, ({ mysql, clickhouse, gcs }) => {
  let lanes: Lane[]
  const runners = new Runners()

  const openLane = () => Lane.open(mysql, clickhouse, gcs)

  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: Number(PROOF_LANES) }, openLane))
  })
  afterAll(async () => {
    await runners.close()
    await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()))
  })

  test(`after every schedule each archive holds every row once, and nothing was deleted too early`, {
    timeout: 3_600_000 + seeds.length * 30_000,
  }, async () => {
    const waiting = [...seeds]
    const struck: PlannedTrouble[] = []
    const failures: string[] = []
    let deleted = 0
    await Promise.all(
      lanes.map(async (_, i) => {
        for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
          const startedMs = performance.now()
          const played = await playIn(i, seed)
          const seconds = Math.round((performance.now() - startedMs) / 1000)
          results.add({ seed, problems: played.problems, seconds, struck: kindsOf(played) })
          struck.push(...played.struck)
          deleted += played.deleted
          if (PROOF_SEED) console.log(played.log.join('\n'))
          if (played.problems.length > 0) failures.push(failureText(seed, played.problems))
        }
      }),
    )
    const between = crashesBetween(struck, deleted)
    expect(failures.join('\n\n')).toBe('')
    if (!PROOF_SEED && seeds.length >= 100) expect(between).toBeGreaterThanOrEqual(0.3)
  })

  /** What is thrown is a failure of this schedule; the next one gets a lane of its own. */
  async function playIn(i: number, seed: number): Promise<Played> {
    try {
      return await play(scheduleOf(seed, ARCHIVERS), lanes[i]!, runners)
    } catch (error) {
      const broken = lanes[i]!
      lanes[i] = await openLane()
      await broken[Symbol.asyncDispose]().catch(() => undefined)
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { problems: [text], struck: [], deleted: 0, log: [] }
    }
  }
})

function kindsOf({ struck }: Played): Record<string, number> {
  return countedKinds(struck.map(({ trouble }) => trouble))
}

function failureText(seed: number, problems: readonly string[]): string {
  const replay = `PROOF_SEED=${seed} npx vitest run src/schedules.test.ts   (in proof/)`
  const text = `schedule ${seed}:\n  ${problems.join('\n  ')}\n  again: ${replay}`
  console.error(text)
  return text
}

/** Counts what struck, and says so. @returns which part of the crashes fell between the sink's success and the commit. */
function crashesBetween(struck: readonly PlannedTrouble[], deleted: number): number {
  const crashes = struck.filter(({ trouble }) => trouble === 'crash')
  const between = crashes.filter(({ point }) => isBetweenSuccessAndCommit(point))
  const kinds = Map.groupBy(struck, ({ trouble }) => trouble)
  const counts = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(', ')
  const percent = Math.round((100 * between.length) / crashes.length)
  console.log(
    `${seeds.length} schedules: ${counts}; ${percent}% of the crashes between the sink's success and the commit; ${deleted} rows deleted`,
  )
  return between.length / crashes.length
}
