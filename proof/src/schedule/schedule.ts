import type { Codec } from '@archiver/avro'
import { ARCHIVERS, type ArchiverName } from '../archives.js'
import { Dice } from './random.js'
import { type PlannedTrouble, troubleOf } from './troubles.js'

export interface RunSettings {
  readonly minRows: number
  readonly maxRows: number
  readonly pageRows: number
  readonly rowsPerBlock: number
  readonly codec: Codec
  readonly settleMs: number
  /** Each block that is sent becomes a part at once, so that an insert that is cut off leaves some. */
  readonly smallParts: boolean
  /** Objects are sent by a session, as large ones are. */
  readonly resumable: boolean
  /** Files go to BigQuery through the bucket. */
  readonly viaBucket: boolean
  /** Most rows that the cleaner deletes. */
  readonly mostDeleted: number
}

export type Step =
  /** Committed at once. */
  | { readonly do: 'insert'; readonly rows: number; readonly old: boolean }
  /** Inserted and left open: takes ids, commits later or never. */
  | { readonly do: 'begin'; readonly rows: number; readonly old: boolean }
  | { readonly do: 'end'; readonly commit: boolean }
  | { readonly do: 'move mark'; readonly to: number }
  /** An owner deletes a server, or a scorer is retired and points to a row for ever. */
  | { readonly do: 'delete server' }
  | { readonly do: 'point' }
  | {
      readonly do: 'run'
      readonly settings: RunSettings
      readonly trouble: PlannedTrouble | undefined
      /** Committed one after the other while the run goes on. */
      readonly meanwhile: readonly Step[]
    }

/** How the cleaner asks the archives: `cleanup_verify`. */
export type CleanerAsks = 'count' | 'rows' | 'off'

export interface Schedule {
  readonly seed: number
  readonly archivers: readonly ArchiverName[]
  /** Undefined where the cleaner is not turned on. */
  readonly cleanerAsks: CleanerAsks | undefined
  /** Session value of auto_increment_increment of whoever writes rows. */
  readonly idStep: 1 | 3
  readonly secondsPerRow: number
  /** Whether there are rows among those written that no archive can hold. */
  readonly hasUnfitRows: boolean
  /** Whether servers are deleted, with their rows. */
  readonly deletesServers: boolean
  readonly steps: readonly Step[]
}

/** Which archives there are in a schedule. */
const ARCHIVES: readonly (readonly ArchiverName[])[] = [
  ['fileavro'],
  ['clickhouse'],
  ['gcsavro'],
  ['bigquery'],
  ['fileavro', 'clickhouse'],
  ['gcsavro', 'bigquery'],
  ['clickhouse', 'bigquery'],
  ['fileavro', 'gcsavro'],
]

/**
 * The schedule of a seed; always the same one.
 *
 * @param archives - those that can be had.
 */
export function scheduleOf(seed: number, archives: readonly ArchiverName[] = ARCHIVERS): Schedule {
  const dice = new Dice(seed)
  const archivers = dice.pick(ARCHIVES.filter((names) => names.every((name) => archives.includes(name))))
  const cleanerAsks = dice.chance(0.4) ? dice.pick<CleanerAsks>(['count', 'count', 'rows', 'off']) : undefined
  const idStep = dice.chance(0.25) ? 3 : 1
  // What is young must stay so to the last row.
  const secondsPerRow = dice.pick(cleanerAsks === undefined ? [1, 600, 20_000] : [1, 60])
  const cleans = cleanerAsks !== undefined
  const steps = Array.from({ length: dice.between(3, 5) }, () => [...writes(dice), runStep(dice, archivers, cleans)])
  const hasUnfitRows = new Dice(seed + 0.25e9).chance(0.25)
  const servers = new Dice(seed + 0.75e9)
  const deletesServers = servers.chance(0.4)
  const all = deletesServers ? withDeletions(steps.flat(), servers) : steps.flat()
  return { seed, archivers, cleanerAsks, idStep, secondsPerRow, hasUnfitRows, deletesServers, steps: all }
}

/** The same steps, and between them, during the runs and at their fault points servers that are deleted. */
function withDeletions(steps: readonly Step[], dice: Dice): Step[] {
  return steps.flatMap((step): Step[] => {
    const others: Step[] = dice.chance(0.25) ? [{ do: dice.chance(0.8) ? 'delete server' : 'point' }] : []
    if (step.do !== 'run') return [step, ...others]
    const strikes = step.trouble !== undefined && dice.chance(0.4)
    const trouble = strikes ? { ...step.trouble, trouble: 'delete server' as const } : step.trouble
    return [
      { ...step, trouble, meanwhile: dice.chance(0.3) ? [...step.meanwhile, ...others] : step.meanwhile },
      ...others,
    ]
  })
}

function writes(dice: Dice): Step[] {
  return Array.from({ length: dice.between(1, 4) }, () => {
    const old = dice.chance(0.6)
    if (dice.chance(0.2)) return { do: 'begin', rows: dice.between(1, 6), old }
    if (dice.chance(0.25)) return { do: 'end', commit: dice.chance(0.6) }
    if (dice.chance(0.13)) return { do: 'move mark', to: dice.between(0, 100) }
    return { do: 'insert', rows: dice.between(1, 60), old }
  })
}

function runStep(dice: Dice, archivers: readonly ArchiverName[], cleans: boolean): Step {
  const settings = settingsOf(dice, archivers)
  const trouble = dice.chance(0.85) ? troubleOf(dice, archivers, cleans) : undefined
  const meanwhile = dice.chance(0.4) ? writes(dice).filter((step) => step.do !== 'move mark') : []
  return { do: 'run', settings, trouble, meanwhile }
}

function settingsOf(dice: Dice, archivers: readonly ArchiverName[]): RunSettings {
  // A load takes a quarter of a second, however small.
  const leastRows = archivers.includes('bigquery') ? 30 : 3
  return {
    minRows: dice.chance(0.6) ? 1 : dice.between(2, 30),
    maxRows: dice.between(leastRows, leastRows + 57),
    pageRows: dice.between(2, 30),
    rowsPerBlock: dice.between(2, 40),
    codec: dice.pick<Codec>(['null', 'deflate', 'snappy', 'zstandard']),
    settleMs: dice.between(150, 300),
    smallParts: dice.chance(0.7),
    resumable: dice.chance(0.5),
    viaBucket: dice.chance(0.4),
    mostDeleted: dice.pick([5, 30, 1_000]),
  }
}
