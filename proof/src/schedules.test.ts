import { describeNeeding, sharedClickHouse, sharedFakeGcs, sharedMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ARCHIVERS } from './archives.js'
import { Lane } from './schedule/lane.js'
import { play } from './schedule/play.js'
import { Runners } from './schedule/runners.js'
import { scheduleOf } from './schedule/schedule.js'
import { isBetweenSuccessAndCommit, type PlannedTrouble } from './schedule/troubles.js'

/** `PROOF_SEED=17` plays one schedule and shows what happened; `PROOF_SCHEDULES=5000` plays more, from `PROOF_FIRST` on. */
const { PROOF_SEED, PROOF_SCHEDULES = '200', PROOF_FIRST = '1', PROOF_LANES = '6' } = process.env
const seeds = PROOF_SEED
  ? [Number(PROOF_SEED)]
  : Array.from({ length: Number(PROOF_SCHEDULES) }, (_, i) => Number(PROOF_FIRST) + i)

const needs = { mysql: sharedMySql, clickhouse: sharedClickHouse, gcs: sharedFakeGcs }

await describeNeeding('schedules of troubles', needs, ({ mysql, clickhouse, gcs }) => {
  let lanes: Lane[]
  const runners = new Runners()

  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: Number(PROOF_LANES) }, () => Lane.open(mysql, clickhouse, gcs)))
  })
  afterAll(async () => {
    await runners.close()
    await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()))
  })

  test(`after every schedule each archive holds every row once, and nothing was deleted too early`, {
    timeout: 3_600_000,
  }, async () => {
    const waiting = [...seeds]
    const struck: PlannedTrouble[] = []
    const failures: string[] = []
    let deleted = 0
    await Promise.all(
      lanes.map(async (lane) => {
        for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
          const played = await play(scheduleOf(seed, ARCHIVERS), lane, runners)
          struck.push(...played.struck)
          deleted += played.deleted
          if (PROOF_SEED) console.log(played.log.join('\n'))
          if (played.problems.length > 0) failures.push(failureText(seed, played.problems))
        }
      }),
    )
    const between = crashesBetween(struck, deleted)
    expect(failures.join('\n\n')).toBe('')
    if (!PROOF_SEED) expect(between).toBeGreaterThanOrEqual(0.3)
  })
})

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
