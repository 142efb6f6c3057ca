import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Bed, makeBed } from './bed.js'
import { cleanup } from './cleanup.js'
import { flatness } from './flatness.js'
import { idle } from './idle.js'
import { load, machine } from './machine.js'
import { mainRuns } from './main-runs.js'
import { runOthers } from './others.js'
import { Quiet } from './quiet.js'
import { readRuns } from './read.js'
import { type Report, reportText } from './report.js'
import { restoreRuns } from './restore.js'
import { measureService } from './service.js'
import { targets } from './targets.js'
import { count } from './text.js'
import { verifyRuns } from './verify.js'

/** What scripts/bench.mjs read from the command line. */
interface Options {
  readonly rows: number
  readonly flat: number
  readonly rounds: number
  /** Seconds. */
  readonly wait: number
  /** Seconds for which rows arrive while the service is measured. */
  readonly service: number
  readonly json: string
  /** All of them by default. */
  readonly only?: Part
}

type Part = 'main' | 'others' | 'idle' | 'service' | 'flat' | 'verify' | 'restore' | 'read' | 'cleanup'

/** Old rows that are deleted: fewer where the main runs have fewer. */
const MOST_CLEANUP_ROWS = 1_000_000

/** Rows that are restored, likewise. */
const MOST_RESTORE_ROWS = 1_000_000

const options = JSON.parse(process.argv[2]!) as Options // scripts/bench.mjs has checked them
const say = console.log

const loadBefore = load()
if (loadBefore > 0.5) say(`Others use this machine too (load ${loadBefore.toFixed(1)}): the figures will vary.`)
say(`Making ${count(options.rows)} rows in a private MariaDB …`)
const cleanupRows = Math.min(MOST_CLEANUP_ROWS, options.rows)
const restoreRows = Math.min(MOST_RESTORE_ROWS, options.rows)
const bed = await makeBed(options.rows, Math.max(options.flat, cleanupRows))
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
  const { rows, rounds, flat } = options
  const quiet = new Quiet(options.wait * 1000)
  const inRounds = { rounds, quiet, say }
  const figures = {
    results: await part('main', 'The archiver, between drains:', [], () => mainRuns(bed, inRounds)),
    others: await part('others', 'What one would take otherwise:', [], () => runOthers(bed, say)),
    idle: await part('idle', 'Nothing to do:', [], () => idle(bed, quiet)),
    service: await part('service', 'The service:', undefined, () => measureService(bed, quiet, options.service * 1000)),
    verify: await part('verify', 'Verifying what is archived:', [], () => verifyRuns(bed, inRounds)),
    read: await part('read', 'Reading what is archived:', [], () => readRuns(bed, inRounds)),
    restore: await part('restore', `Restoring ${count(restoreRows)} rows:`, [], () =>
      restoreRuns(bed, restoreRows, inRounds),
    ),
    cleanup: await part('cleanup', `Deleting ${count(cleanupRows)} old rows:`, undefined, () =>
      cleanup(bed, cleanupRows, quiet),
    ),
    flat:
      flat === 0
        ? []
        : await part('flat', 'Memory by the size of a batch:', [], () => flatness(bed, flat, rounds, say)),
  }
  const { measurements, disturbed } = quiet
  const date = new Date().toISOString().slice(0, 10)
  return { date, rows, rounds, machine: machine(bed, loadBefore), measurements, disturbed, ...figures }
}

/** Measures a part, if it is wanted. @returns `none` where it is not. */
async function part<T, None>(name: Part, title: string, none: None, measurePart: () => Promise<T>): Promise<T | None> {
  if (options.only !== undefined && options.only !== name) return none
  say(title)
  return measurePart()
}

/** The servers end with this process; what is measured at the moment fails when they do. */
async function stop(): Promise<void> {
  say('\nStopped.')
  await bed.close()
  process.exit(130)
}
