import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Bed, makeBed } from './bed.js'
import { flatness } from './flatness.js'
import { idle } from './idle.js'
import { load, machine } from './machine.js'
import { mainRuns } from './main-runs.js'
import { runOthers } from './others.js'
import { quiet } from './quiet.js'
import { type Report, reportText } from './report.js'
import { targets } from './targets.js'
import { count } from './text.js'

/** What scripts/bench.mjs read from the command line. */
interface Options {
  readonly rows: number
  readonly flat: number
  readonly rounds: number
  /** Seconds. */
  readonly wait: number
  readonly json: string
}

const options = JSON.parse(process.argv[2]!) as Options // scripts/bench.mjs has checked them
const say = console.log

const loadBefore = load()
if (loadBefore > 0.5) say(`Others use this machine too (load ${loadBefore.toFixed(1)}): the figures will vary.`)
say(`Making ${count(options.rows)} rows in a private MariaDB …`)
const bed = await makeBed(options.rows, options.flat)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
try {
  const report = await measureAll(bed)
  const json = { ...report, targets: targets(report) }
  writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`)
  say(`\n${reportText(report)}\n\nAll figures are in ${resolve(options.json)}`)
} finally {
  await bed.close()
}

async function measureAll(bed: Bed): Promise<Report> {
  const { rows, rounds, flat, wait } = options
  say('The archiver, between drains:')
  const main = await mainRuns(bed, { rounds, waitMs: wait * 1000, say })
  say('What one would take otherwise:')
  const others = await runOthers(bed, say)
  say('Nothing to do:')
  await quiet(wait * 1000)
  const idleRuns = await idle(bed)
  if (flat > 0) say('Memory by the size of a batch:')
  const flatRuns = flat > 0 ? await flatness(bed, flat, rounds, say) : []
  const date = new Date().toISOString().slice(0, 10)
  return { date, rows, rounds, machine: machine(bed, loadBefore), ...main, others, idle: idleRuns, flat: flatRuns }
}

/** The servers end with this process; what is measured at the moment fails when they do. */
async function stop(): Promise<void> {
  say('\nStopped.')
  await bed.close()
  process.exit(130)
}
