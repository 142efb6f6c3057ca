import type { ArchiverState, CleanupState, FailureState, Health, ServiceStatus } from '@archiver/service'
import { clockTime, duration, list, relative, rows, when } from './format.js'

/** Health as it is shown; unknown where nothing is known, or not any more. */
export type Shown = Health | 'unknown'

/** The one thing to see from across a room. */
export interface Headline {
  readonly health: Shown
  readonly title: string
  readonly summary: string
}

const DAY_MS = 86_400_000
/** An archive that takes a batch less often than this has a schedule, not a lag. */
const SCHEDULE_MS = 60_000

/** Whether all is well, and if not, what is wrong. */
export function headlineOf(status: ServiceStatus, nowMs: number): Headline {
  return { health: healthOf(status), title: titleOf(status), summary: summaryOf(status, nowMs) }
}

/** What to show where the service does not answer. @param sinceIso - when it last did. */
export function silentHeadline({ database, table }: ServiceStatus, sinceIso: string, nowMs: number): Headline {
  return {
    health: 'unknown',
    title: `No answer since ${shortTime(sinceIso, nowMs)}`,
    summary: `The service for ${database}.${table} does not answer. Everything below is as it was then.`,
  }
}

/** Hours and minutes; the day too where it is another. */
function shortTime(iso: string, nowMs: number): string {
  const time = clockTime(iso, nowMs)
  return /^\d\d:\d\d:\d\d$/.test(time) ? time.slice(0, 5) : time
}

function healthOf({ health, service, mysql }: ServiceStatus): Shown {
  if (health !== 'ok') return health
  if (service?.role === 'standby' || service?.role === 'starting' || mysql.answeredAt === null) return 'unknown'
  return 'ok'
}

function titleOf(status: ServiceStatus): string {
  const { mysql, archivers, cleanup, health, service } = status
  if (!mysql.reachable) return 'MySQL is out of reach'
  const all = cleanup === null ? archivers : [...archivers, { archiver: 'cleanup', health: cleanup.health }]
  const being = (which: Health) => all.filter((one) => one.health === which).map(({ archiver }) => archiver)
  const parts = [sentence(being('failing'), 'failing'), sentence(being('late'), 'late')].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  if (health !== 'ok') return `The service is ${health}`
  if (service?.role === 'standby') return 'Standing by'
  if (mysql.answeredAt === null) return 'Starting: nothing is known yet'
  if (archivers.length === 0) return 'No archive is turned on'
  return archivers.length === 1 ? 'The archive is up to date' : `All ${archivers.length} archives are up to date`
}

function sentence(names: readonly string[], what: string): string {
  return names.length === 0 ? '' : `${list(names)} ${names.length === 1 ? 'is' : 'are'} ${what}`
}

function summaryOf({ service, host, at, table, database }: ServiceStatus, nowMs: number): string {
  const of = `${database}.${table}`
  const asOf = `as of ${when(at, nowMs)} UTC`
  switch (service?.role) {
    case 'leader':
      return `${of}, archived by ${host}, ${asOf}`
    case 'standby':
      return `${host} stands by for ${of}; ${service.lock.holder ?? 'nobody that it knows of'} has the lock; ${asOf}. What fails, what runs and when the next batch comes is known to the leader only.`
    case undefined:
      return `${of}, ${asOf}`
    default:
      return `${host} is ${service?.role}; ${of}, ${asOf}`
  }
}

/** The host that leads, as far as the holder of the lock tells. */
export function leaderHost({ service }: ServiceStatus): string | null {
  if (service?.role !== 'standby') return null
  return /\bhost ([\w.-]+|\[[\da-f:]+\])/i.exec(service.lock.holder ?? '')?.[1] ?? null
}

/** Something that fails, as a page for a person who was paged. */
export interface Alarm {
  readonly name: string
  readonly code: string
  /** Sentences: since when, why, how far behind, what comes next. */
  readonly lines: readonly string[]
  /** Null where it is not published. */
  readonly runbookUrl: string | null
}

/** What fails, most urgent first. */
export function alarmsOf(status: ServiceStatus, nowMs: number): Alarm[] {
  const { mysql, archivers, cleanup } = status
  const alarms: Alarm[] = []
  if (mysql.error !== null) alarms.push(alarm(status, 'MySQL', mysql.error, [nextLine(mysql.nextTryAt, nowMs)], nowMs))
  for (const one of archivers) {
    if (one.error === null) continue
    const lines = [behindLine(one), growthLine(one, cleanup, nowMs), nextLine(one.nextRunAt, nowMs)]
    alarms.push(alarm(status, one.archiver, one.error, lines, nowMs))
  }
  if (cleanup?.error) alarms.push(alarm(status, 'cleanup', cleanup.error, [nextLine(cleanup.nextRunAt, nowMs)], nowMs))
  return alarms
}

function alarm(
  { service }: ServiceStatus,
  name: string,
  { since, code, message, hint }: FailureState,
  more: readonly (string | null)[],
  nowMs: number,
): Alarm {
  const lines = [`Since ${when(since, nowMs)}: ${message}`, ...more.filter((line) => line !== null)]
  const url = service?.runbookUrl
  return {
    name,
    code,
    lines: hint === null ? lines : [...lines, hint],
    runbookUrl: url ? `${url}${encodeURIComponent(code)}` : null,
  }
}

function behindLine({ lag }: ArchiverState): string | null {
  if (lag.ms === null || lag.rows === null) return 'How far it is behind is not known.'
  return lag.ms === 0 ? null : `${duration(lag.ms)} behind, ${rows(lag.rows)} at most.`
}

/** Rows are deleted only when they are safe: those that wait stay, and MySQL grows once they are older than it keeps rows. */
function growthLine({ lag }: ArchiverState, cleanup: CleanupState | null, nowMs: number): string | null {
  if (cleanup === null || lag.ms === null || lag.ms === 0) return null
  const growsMs = nowMs - lag.ms + cleanup.retentionDays * DAY_MS
  const iso = new Date(growsMs).toISOString()
  if (growsMs <= nowMs) return `MySQL has grown since ${when(iso, nowMs)}: rows that wait are not deleted.`
  return `No row is lost: rows that wait are not deleted. MySQL starts to grow ${relative(iso, nowMs)}, ${clockTime(iso, nowMs)}.`
}

function nextLine(nextRunAt: string | null, nowMs: number): string | null {
  return nextRunAt === null ? null : `Next try ${relative(nextRunAt, nowMs)}.`
}

/** How far an archive is behind, in large figures and in small ones. */
export interface Behind {
  readonly label: string
  readonly text: string
  readonly sub: string
}

/** An archive that is filled once a day is on schedule, not hours behind. */
export function behindOf(one: ArchiverState, mysqlAnswers: boolean, nowMs: number): Behind {
  const { lag, health, policy } = one
  const atMost = lag.rows === null ? '' : `${rows(lag.rows)} at most`
  if (lag.ms === null) return { label: 'Behind', text: 'unknown', sub: atMost }
  const text = lag.ms === 0 ? 'nothing' : duration(lag.ms)
  if (!mysqlAnswers) return { label: 'Behind', text: 'unknown', sub: `MySQL does not answer; last known: ${text}` }
  const isOnTime =
    health === 'ok' && policy !== null && policy.intervalMs >= SCHEDULE_MS && lag.ms <= 2 * policy.intervalMs
  const next = nextBatch(one, nowMs)
  if (!isOnTime || next === null) return { label: 'Behind', text, sub: atMost }
  const waits = lag.ms === 0 ? 'no row waits' : `the oldest row waits ${text}, ${atMost}`
  return { label: 'Schedule', text: 'on schedule', sub: `${next}; ${waits}` }
}

/** When the next batch comes; null where it is under way or due. A standby knows the interval alone. */
function nextBatch({ state, nextRunAt, policy }: ArchiverState, nowMs: number): string | null {
  if (state === 'unknown' && policy !== null) return `a batch every ${duration(policy.intervalMs)}`
  if (state !== 'waiting' || nextRunAt === null || Date.parse(nextRunAt) <= nowMs) return null
  return `next batch ${relative(nextRunAt, nowMs)}`
}

/** Unknown is neither fine nor failing. */
export function shownHealth(health: Health, state: string, mysqlAnswers: boolean): Shown {
  return health === 'ok' && (state === 'unknown' || !mysqlAnswers) ? 'unknown' : health
}
