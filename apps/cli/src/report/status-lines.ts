import { styleText } from 'node:util'
import { harmlessText } from '@archiver/core'
import type { ArchiverState, CleanupState, FailureState, Health, ServiceStatus } from '@archiver/service'
import { bytes, clockTime, count, duration, relative, rows, when } from '@archiver/web/format'

type Style = Parameters<typeof styleText>[0]

/** Paints where the stream is a terminal and NO_COLOR is not set. */
type Paint = (style: Style, text: string) => string

const STYLES: Readonly<Record<Health, Style>> = { ok: 'green', late: 'yellow', failing: 'red' }

/** The status for a person. @param out - where it goes: that decides about colours. */
export function statusLines(status: ServiceStatus, nowMs: number, out: NodeJS.WritableStream): string[] {
  const paint: Paint = (style, text) => styleText(style, text, { stream: out })
  return [...headLines(status, nowMs, paint), '', ...table(status, nowMs, paint), ...troubleLines(status, nowMs, paint)]
}

function headLines(
  { database, table: name, service, host, at, mysql, health }: ServiceStatus,
  nowMs: number,
  paint: Paint,
): string[] {
  // MySQL cannot tell whether anything archives: nothing late so far is not "ok".
  const overall = service === null && health === 'ok' ? paint('yellow', 'no service') : paint(STYLES[health], health)
  const first = `${paint('bold', plain(`${database}.${name}`))}  ${overall}  as of ${when(at, nowMs)} UTC`
  if (service === null) return [first, 'No service answers on this host: this is what MySQL tells.']
  const { role, since, lock, reload, lostLogLines } = service
  const holder = role === 'leader' || lock.holder === null ? '' : `; ${lock.holder} has the lock`
  const refused =
    reload?.taken === false
      ? [paint('yellow', `New settings were refused, the old ones hold: ${plain(reload.text)}`)]
      : []
  const open = mysql.pool === null ? '' : `; ${mysql.pool.open} connections to MySQL`
  return [
    first,
    plain(`${host}: ${role} since ${clockTime(since, nowMs)} (${relative(since, nowMs)})${holder}${open}`),
    ...refused,
    ...lostLines(lostLogLines, paint),
  ]
}

/** A service of an older version does not count them. */
function lostLines(lines: number | undefined, paint: Paint): string[] {
  if (!lines) return []
  const text = lines === 1 ? 'line of its log was' : 'lines of its log were'
  return [paint('yellow', `${count(lines)} ${text} lost. Check the disk that standard error is written to.`)]
}

const HEADS = ['ARCHIVER', 'STATE', 'BEHIND', 'ROWS AT MOST', 'MARK', 'LAST BATCH', 'NEXT RUN']
/** Numbers stand to the right. */
const RIGHT = new Set([2, 3, 4])

interface Row {
  readonly cells: readonly string[]
  readonly health: Health
}

function table({ archivers, cleanup, mysql }: ServiceStatus, nowMs: number, paint: Paint): string[] {
  const lines = [
    ...archivers.map((one) => archiverRow(one, nowMs)),
    ...(cleanup === null ? [] : [cleanupRow(cleanup, nowMs)]),
  ]
  const widths = HEADS.map((head, i) => Math.max(head.length, ...lines.map(({ cells }) => cells[i]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
  // Where MySQL was never reached nobody knows what is turned on.
  if (lines.length === 0 && !mysql.reachable) return []
  if (lines.length === 0) return ['No archiver is turned on: the status table has no row.']
  const head = paint('dim', line(HEADS).join('  ').trimEnd())
  return [head, ...lines.map(({ cells, health }) => painted(line(cells), health, paint))]
}

/** The state in the colour of its health. */
function painted([name = '', state = '', ...rest]: readonly string[], health: Health, paint: Paint): string {
  return [name, paint(STYLES[health], state), ...rest].join('  ').trimEnd()
}

function archiverRow(
  { archiver, state, health, lag, mark, lastBatch, batch, nextRunAt }: ArchiverState,
  nowMs: number,
): Row {
  const last =
    lastBatch &&
    `${rows(lastBatch.rows)}, ${bytes(lastBatch.bytes)} in ${duration(lastBatch.elapsedMs)}, ${relative(lastBatch.doneAt, nowMs)}`
  const next = batch === null ? nextRunAt && relative(nextRunAt, nowMs) : `now: ${rows(batch.rows)} done`
  const cells = [
    plain(archiver),
    stateText(state, health),
    lag.ms === null ? '?' : lag.ms === 0 ? 'nothing' : duration(lag.ms),
    lag.rows === null ? '?' : count(lag.rows),
    mark === null ? 'none' : count(mark),
    last ?? '-',
    next ?? '-',
  ]
  return { cells, health }
}

function cleanupRow({ state, health, deletedRows, lastRunAt, nextRunAt, oldestTs }: CleanupState, nowMs: number): Row {
  const deleted = deletedRows === null ? '' : `${rows(deletedRows)} deleted, `
  const last = lastRunAt === null ? '-' : `${deleted}${relative(lastRunAt, nowMs)}`
  const oldest = oldestTs === null ? '' : `; oldest row ${relative(oldestTs, nowMs)}`
  const cells = [
    'cleanup',
    stateText(state, health),
    '',
    '',
    '',
    `${last}${oldest}`,
    nextRunAt === null ? '-' : relative(nextRunAt, nowMs),
  ]
  return { cells, health }
}

function stateText(state: string, health: Health): string {
  return health === 'ok' || health === state ? state : `${state}, ${health}`
}

/** What is wrong, each with what to do. */
function troubleLines({ archivers, cleanup, mysql, warnings }: ServiceStatus, nowMs: number, paint: Paint): string[] {
  const failed = (name: string, error: FailureState | null, times = 1) =>
    error === null ? [] : failure(name, error, times, nowMs, paint)
  return [
    ...failed('MySQL', mysql.error),
    ...archivers.flatMap(({ archiver, error, failuresInARow }) => failed(plain(archiver), error, failuresInARow)),
    ...failed('cleanup', cleanup?.error ?? null),
    ...(cleanup?.blocked ? notice('cleanup', cleanup.blocked.why, cleanup.blocked.hint, paint) : []),
    ...warnings.flatMap(({ code, message, hint }) => notice(code, message, hint, paint)),
    ...archivers
      .filter(({ skippedRows }) => skippedRows > 0)
      .flatMap(({ archiver, skippedRows }) =>
        notice(plain(archiver), `${rows(skippedRows)} taken out with archiver skip: not in this archive`, null, paint),
      ),
    ...archivers
      .filter(({ deletedFromSourceRows }) => deletedFromSourceRows > 0)
      .flatMap(({ archiver, deletedFromSourceRows }) =>
        notice(
          plain(archiver),
          `${rows(deletedFromSourceRows)} of this archive were deleted from MySQL after they had been stored`,
          null,
          paint,
        ),
      ),
    ...(cleanup?.keptRows ?? []).flatMap(({ table, rows: kept }) =>
      notice('cleanup', `${rows(kept)} kept because ${plain(table)} refers to them`, null, paint),
    ),
  ]
}

function failure(
  name: string,
  { code, at, message, hint }: FailureState,
  times: number,
  nowMs: number,
  paint: Paint,
): string[] {
  const often = times > 1 ? `, ${count(times)} times in a row` : ''
  const first = `${paint('red', `${name}: ${plain(code)}`)}, ${relative(at, nowMs)}${often}: ${plain(message)}`
  return ['', first, ...(hint === null ? [] : [`  → ${plain(hint)}`])]
}

function notice(name: string, text: string, hint: string | null, paint: Paint): string[] {
  return ['', `${paint('yellow', name)}: ${plain(text)}`, ...(hint === null ? [] : [`  → ${plain(hint)}`])]
}

/** In one line, and without what a terminal would take for a command. */
function plain(text: string): string {
  return harmlessText(text)
}
