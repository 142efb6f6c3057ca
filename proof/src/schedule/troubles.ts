import type { FaultPoint } from '@archiver/core'
import type { ArchiverName } from '../archives.js'
import type { Dice } from './random.js'

/**
 * What happens at a fault point: the process dies · stands still for longer than its lock lives, while another one
 * takes over · its lock's connection is killed, or all its other connections · the network to MySQL is cut, and the
 * server not told · the connections to the archives are reset, stall, or give no answers · somebody moves the mark
 * · an owner deletes a server, with its rows.
 *
 * And what Google's services do to the requests that follow: an answer is lost after success · a storm of 503s · a body
 * is cut in the middle · the token has expired · a load job runs on while the process dies · a load job fails.
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
  | 'delete server'
  | CloudTrouble

export type CloudTrouble = 'lose answer' | 'storm' | 'cut body' | 'expire token' | 'hold job' | 'fail job'

export interface PlannedTrouble {
  readonly trouble: Trouble
  readonly point: FaultPoint
  /** 1 for the first pass through the point. */
  readonly pass: number
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

const OF_CLEANER: readonly FaultPoint[] = [
  'cleanup.verified',
  'cleanup.before',
  'cleanup.deleted',
  'cleanup.deleted',
  'cleanup.after',
  'cleanup.stamped',
]

/** Who does it needs locks that the cleaner may have. */
const OF_ROWS: ReadonlySet<Trouble> = new Set<Trouble>(['move mark', 'delete server'])

const NETWORK: readonly Trouble[] = ['reset sink', 'stall sink', 'no answers']
const OF_REQUESTS: readonly CloudTrouble[] = ['lose answer', 'lose answer', 'storm', 'cut body', 'expire token']
const OF_JOBS: readonly CloudTrouble[] = ['hold job', 'hold job', 'fail job']
const CLOUD: ReadonlySet<Trouble> = new Set<Trouble>([...OF_REQUESTS, ...OF_JOBS])

/** What goes wrong with an archive, beside what may with any. */
const SINK_TROUBLES: Readonly<Record<ArchiverName, readonly Trouble[]>> = {
  fileavro: [],
  clickhouse: NETWORK,
  gcsavro: [...NETWORK, ...OF_REQUESTS, ...OF_REQUESTS],
  bigquery: [...NETWORK, ...OF_REQUESTS, ...OF_JOBS, ...OF_JOBS],
}

/** Whether the sink has all of the batch at this point and the mark does not say so. */
export function isBetweenSuccessAndCommit(point: FaultPoint): boolean {
  return Object.values(BETWEEN_SUCCESS_AND_COMMIT).some((points) => points.includes(point))
}

/** Whether Google's services are told to do it. */
export function isOfCloud(trouble: Trouble): trouble is CloudTrouble {
  return CLOUD.has(trouble)
}

/** Whether the run stands at its fault point until the trouble is done. */
export function isWaitedFor({ trouble, point }: PlannedTrouble): boolean {
  // There the cleaner holds the marks: who wants to move one waits for it, and it must not wait for them.
  return trouble !== 'crash' && trouble !== 'freeze' && !(OF_ROWS.has(trouble) && point === 'cleanup.deleted')
}

export function troubleOf(dice: Dice, archivers: readonly ArchiverName[], cleans: boolean): PlannedTrouble {
  if (cleans && dice.chance(0.3)) return cleanersTrouble(dice)
  const archiver = dice.pick(archivers)
  const trouble = kindOf(dice, archiver)
  return { trouble, point: pointFor(dice, trouble, archiver), pass: dice.pick([1, 1, 1, 2, 2, 3]) }
}

function cleanersTrouble(dice: Dice): PlannedTrouble {
  const others: readonly Trouble[] = ['freeze', 'kill lock', 'cut mysql', 'move mark', 'move mark']
  const trouble = dice.chance(0.5) ? 'crash' : dice.pick(others)
  return { trouble, point: dice.pick(OF_CLEANER), pass: dice.pick([1, 1, 2]) }
}

function kindOf(dice: Dice, archiver: ArchiverName): Trouble {
  if (dice.chance(0.62)) return 'crash'
  const anySink: readonly Trouble[] = ['freeze', 'kill lock', 'kill readers', 'cut mysql', 'move mark']
  return dice.pick([...anySink, ...SINK_TROUBLES[archiver]])
}

function pointFor(dice: Dice, trouble: Trouble, archiver: ArchiverName): FaultPoint {
  // They meet requests that are still to come.
  if (isOfCloud(trouble)) return dice.pick(['recover.before', 'store.before', 'store.chunk', ELSEWHERE[archiver][0]!])
  const after = dice.chance(0.5)
  return dice.pick(
    after ? BETWEEN_SUCCESS_AND_COMMIT[archiver] : [...ANYWHERE, ...ELSEWHERE[archiver], ...ELSEWHERE[archiver]],
  )
}
