import type { Codec } from '@archiver/avro'
import type { FaultPoint } from '@archiver/core'
import type { ArchiverName } from '../archives.js'
import { Dice } from './random.js'

/**
 * What happens at a fault point: the process dies · stands still for longer than its lock lives, while another one
 * takes over · its lock's connection is killed, or all its other connections · the network to MySQL is cut, and the
 * server not told · the sink's connections are reset, stall, or give no answers · somebody moves the mark.
 */
export type Trouble =
  | 'crash'
  | 'freeze'
  | 'kill lock'
  | 'kill readers'
  | 'cut mysql'
  | 'reset sink'
  | 'stall sink'
  | 'no answers'
  | 'move mark'

export interface PlannedTrouble {
  readonly trouble: Trouble
  readonly point: FaultPoint
  /** 1 for the first pass through the point. */
  readonly pass: number
}

export interface RunSettings {
  readonly minRows: number
  readonly maxRows: number
  readonly pageRows: number
  readonly rowsPerBlock: number
  readonly codec: Codec
  readonly settleMs: number
  /** Each block that is sent becomes a part at once, so that an insert that is cut off leaves some. */
  readonly smallParts: boolean
}

export type Step =
  /** Committed at once. */
  | { readonly do: 'insert'; readonly rows: number }
  /** Inserted and left open: takes ids, commits later or never. */
  | { readonly do: 'begin'; readonly rows: number }
  | { readonly do: 'end'; readonly commit: boolean }
  | { readonly do: 'move mark'; readonly to: number }
  | {
      readonly do: 'run'
      readonly settings: RunSettings
      readonly trouble: PlannedTrouble | undefined
      /** Committed one after the other while the run goes on. */
      readonly meanwhile: readonly Step[]
    }

export interface Schedule {
  readonly seed: number
  readonly archivers: readonly ArchiverName[]
  /** Session value of auto_increment_increment of whoever writes rows. */
  readonly idStep: 1 | 3
  readonly secondsPerRow: number
  readonly steps: readonly Step[]
}

const BETWEEN_SUCCESS_AND_COMMIT: Readonly<Record<ArchiverName, readonly FaultPoint[]>> = {
  fileavro: ['file.published', 'store.after', 'commit.before'],
  clickhouse: ['clickhouse.sent', 'store.after', 'commit.before'],
  gcsavro: ['gcs.uploaded', 'store.after', 'commit.before'],
  bigquery: ['bigquery.sent', 'bigquery.loaded', 'store.after', 'commit.before'],
}

const ELSEWHERE: Readonly<Record<ArchiverName, readonly FaultPoint[]>> = {
  fileavro: ['file.written', 'file.synced'],
  clickhouse: ['clickhouse.sending'],
  gcsavro: ['gcs.spooled', 'gcs.sending'],
  bigquery: ['bigquery.spooled', 'bigquery.sending'],
}

const ANYWHERE: readonly FaultPoint[] = [
  'lock.taken',
  'plan.before',
  'plan.after',
  'store.before',
  'store.chunk',
  'commit.after',
  'recover.before',
  'recover.after',
]

/** Whether the sink has all of the batch at this point and the mark does not say so. */
export function isBetweenSuccessAndCommit(point: FaultPoint): boolean {
  return Object.values(BETWEEN_SUCCESS_AND_COMMIT).some((points) => points.includes(point))
}

/** The schedule of a seed; always the same one. */
export function scheduleOf(seed: number): Schedule {
  const dice = new Dice(seed)
  const archivers = dice.pick<readonly ArchiverName[]>([['fileavro'], ['clickhouse'], ['fileavro', 'clickhouse']])
  const idStep = dice.chance(0.25) ? 3 : 1
  const secondsPerRow = dice.pick([1, 600, 20_000])
  const steps = Array.from({ length: dice.between(3, 5) }, () => [...writes(dice), runStep(dice, archivers)])
  return { seed, archivers, idStep, secondsPerRow, steps: steps.flat() }
}

function writes(dice: Dice): Step[] {
  return Array.from({ length: dice.between(1, 4) }, () => {
    if (dice.chance(0.2)) return { do: 'begin', rows: dice.between(1, 6) }
    if (dice.chance(0.25)) return { do: 'end', commit: dice.chance(0.6) }
    if (dice.chance(0.13)) return { do: 'move mark', to: dice.between(0, 100) }
    return { do: 'insert', rows: dice.between(1, 60) }
  })
}

function runStep(dice: Dice, archivers: readonly ArchiverName[]): Step {
  const settings = settingsOf(dice)
  const trouble = dice.chance(0.85) ? troubleOf(dice, archivers) : undefined
  const meanwhile = dice.chance(0.4) ? writes(dice).filter((step) => step.do !== 'move mark') : []
  return { do: 'run', settings, trouble, meanwhile }
}

function settingsOf(dice: Dice): RunSettings {
  return {
    minRows: dice.chance(0.6) ? 1 : dice.between(2, 30),
    maxRows: dice.between(3, 60),
    pageRows: dice.between(2, 30),
    rowsPerBlock: dice.between(2, 40),
    codec: dice.pick<Codec>(['null', 'deflate', 'snappy', 'zstandard']),
    settleMs: dice.between(150, 300),
    smallParts: dice.chance(0.7),
  }
}

function troubleOf(dice: Dice, archivers: readonly ArchiverName[]): PlannedTrouble {
  const archiver = dice.pick(archivers)
  const after = dice.chance(0.5)
  const point = dice.pick(
    after ? BETWEEN_SUCCESS_AND_COMMIT[archiver] : [...ANYWHERE, ...ELSEWHERE[archiver], ...ELSEWHERE[archiver]],
  )
  const pass = dice.pick([1, 1, 1, 2, 2, 3])
  return { trouble: kindOf(dice, archiver), point, pass }
}

function kindOf(dice: Dice, archiver: ArchiverName): Trouble {
  if (dice.chance(0.62)) return 'crash'
  const anySink: readonly Trouble[] = ['freeze', 'kill lock', 'kill readers', 'cut mysql', 'move mark']
  const network: readonly Trouble[] = ['reset sink', 'stall sink', 'no answers']
  return dice.pick(archiver === 'clickhouse' ? [...anySink, ...network] : anySink)
}
