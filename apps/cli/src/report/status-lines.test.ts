import { PassThrough } from 'node:stream'
import { WriteStream } from 'node:tty'
import type { ArchiverState, ServiceStatus } from '@archiver/service'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { statusLines } from './status-lines.js'

const nowMs = Date.parse('2026-11-28T14:02:14Z')
const at = '2026-11-28T14:02:11Z'

const archiver: ArchiverState = {
  archiver: 'clickhouse',
  state: 'failing',
  health: 'failing',
  mark: '18446744073709551615',
  markedAt: at,
  lag: { rows: '90000', ms: 45_000 },
  batch: null,
  lastBatch: { id: '7', rows: 1, bytes: 64, identity: 'x', elapsedMs: 200, doneAt: at },
  nextRunAt: '2026-11-28T14:02:24Z',
  lastSuccessAt: at,
  error: { at, since: at, code: 'CLICKHOUSE_UNREACHABLE', message: 'it is\ngone\x1b[2J', hint: 'Check ch_dsn.' },
  failuresInARow: 3,
  skippedRows: 2,
  deletedFromSourceRows: 0,
  policy: null,
}
const status: ServiceStatus = {
  version: '1',
  database: 'ntppool',
  table: 'log_scores',
  host: 'a',
  service: {
    pid: 1,
    startedAt: at,
    role: 'standby',
    since: '2026-11-27T14:00:00Z',
    lock: { name: 'archiver-ntppool', holder: '10.1.2.3' },
    reload: { at, taken: false, text: 'ch_dsn: is no DSN' },
    lostLogLines: 0,
    runbookUrl: null,
  },
  at,
  health: 'failing',
  mysql: { reachable: true, answeredAt: at, error: null, nextTryAt: null, pool: { open: 4, idle: 3, waiting: 0 } },
  newest: { id: '1', ts: at },
  archivers: [
    archiver,
    {
      ...archiver,
      archiver: 'fileavro',
      state: 'waiting',
      health: 'ok',
      error: null,
      mark: null,
      lastBatch: null,
      lag: { rows: null, ms: null },
      nextRunAt: null,
      skippedRows: 0,
      deletedFromSourceRows: 12,
    },
  ],
  warnings: [],
  cleanup: {
    state: 'blocked',
    health: 'ok',
    lastRunAt: at,
    nextRunAt: null,
    deletedRows: 5000,
    keptRows: [{ table: 'scorer_status', rows: 2 }],
    oldestTs: '2026-11-13T14:02:14Z',
    retentionDays: 15,
    blocked: { reason: 'no-mark', why: 'fileavro: nothing stored yet', hint: 'Let it catch up.' },
    error: null,
  },
}

/** A stream that is a terminal, or is not. */
function stream(isTTY: boolean): NodeJS.WritableStream {
  const { getColorDepth } = WriteStream.prototype
  return Object.assign(new PassThrough(), isTTY ? { isTTY, getColorDepth } : {})
}

/** A terminal that has colours, wherever this runs. */
beforeEach(() => {
  for (const name of ['NO_COLOR', 'NODE_DISABLE_COLORS', 'FORCE_COLOR', 'CI', 'COLORTERM']) vi.stubEnv(name, undefined)
  vi.stubEnv('TERM', 'xterm-256color')
})

afterEach(() => void vi.unstubAllEnvs())

test('says all of it, in lines', () => {
  expect(statusLines(status, nowMs, stream(false)).join('\n')).toBe(`\
ntppool.log_scores  failing  as of 3 s ago, 14:02:11 UTC
a: standby since 27 Nov 14:00 (24 h 2 min ago); 10.1.2.3 has the lock; 4 connections to MySQL
New settings were refused, the old ones hold: ch_dsn: is no DSN

ARCHIVER    STATE    BEHIND  ROWS AT MOST                        MARK  LAST BATCH                                        NEXT RUN
clickhouse  failing    45 s        90,000  18,446,744,073,709,551,615  1 row, 64 B in 0.2 s, 3 s ago                     in 10 s
fileavro    waiting       ?             ?                        none  -                                                 -
cleanup     blocked                                                    5,000 rows deleted, 3 s ago; oldest row 15 d ago  -

clickhouse: CLICKHOUSE_UNREACHABLE, 3 s ago, 3 times in a row: it is gone
  → Check ch_dsn.

cleanup: fileavro: nothing stored yet
  → Let it catch up.

clickhouse: 2 rows taken out with archiver skip: not in this archive

fileavro: 12 rows of this archive were deleted from MySQL after they had been stored

cleanup: 2 rows kept because scorer_status refers to them`)
})

describe('colours', () => {
  const coloured = '\x1b[31mfailing\x1b[39m'

  test('on a terminal', () => {
    expect(statusLines(status, nowMs, stream(true)).join('\n')).toContain(coloured)
  })

  test.each([
    ['elsewhere', false, {}],
    ['with NO_COLOR', true, { NO_COLOR: '1' }],
  ])('none %s', (_, isTTY, env) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    expect(statusLines(status, nowMs, stream(isTTY)).join('\n')).not.toContain('\x1b')
  })
})

test('an empty status table is said', () => {
  const lines = statusLines({ ...status, service: null, archivers: [], cleanup: null }, nowMs, stream(false))
  expect(lines).toContain('No archiver is turned on: the status table has no row.')
})

test('nothing is said of the status table where MySQL was not reached', () => {
  const mysql = { ...status.mysql, reachable: false }
  const lines = statusLines({ ...status, mysql, service: null, archivers: [], cleanup: null }, nowMs, stream(false))
  expect(lines.join('\n')).not.toContain('No archiver is turned on')
})

test('without a service nothing is called ok, and what is late or fails is', () => {
  const first = (health: ServiceStatus['health'], service = null as ServiceStatus['service']) =>
    statusLines({ ...status, service, health }, nowMs, stream(false))[0]
  expect(first('ok')).toMatch(/ {2}no service {2}as of /)
  expect(first('late')).toMatch(/ {2}late {2}as of /)
  expect(first('failing')).toMatch(/ {2}failing {2}as of /)
  expect(first('ok', status.service)).toMatch(/ {2}ok {2}as of /)
})
