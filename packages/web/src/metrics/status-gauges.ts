import type { TableWarning } from '@archiver/core'
import type { ArchiverState, CleanupState, Health, ServiceState, ServiceStatus } from '@archiver/service'

/** One value with its labels. Null: there is none now, and no series. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number | null
}

/** A gauge that is read off the status when it is asked for. */
export interface StatusGauge {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: (status: ServiceStatus) => readonly Sample[]
}

const WARNINGS = [
  'ROWS_UNARCHIVED',
  'ROW_ID_LOW',
  'STATUS_STAMP_AHEAD',
] as const satisfies readonly TableWarning['code'][]
const HEALTHS = ['ok', 'late', 'failing'] as const satisfies readonly Health[]
const ROLES = ['starting', 'leader', 'standby', 'stopping'] as const satisfies readonly ServiceState['role'][]
const STATES = [
  'waiting',
  'queued',
  'running',
  'retrying',
  'failing',
  'elsewhere',
  'unknown',
] as const satisfies readonly ArchiverState['state'][]
const CLEANUP_STATES = [
  'waiting',
  'running',
  'throttled',
  'blocked',
  'failing',
  'unknown',
] as const satisfies readonly CleanupState['state'][]

/** Every gauge of the status, in the order of docs/metrics.md. */
export const STATUS_GAUGES: readonly StatusGauge[] = [
  {
    name: 'archiver_table_warnings',
    help: 'What an operator should know of the table and its status, by the code of the warning.',
    labels: ['code'],
    samples: ({ warnings }) =>
      WARNINGS.map((code) => ({ labels: { code }, value: warnings.filter((one) => one.code === code).length })),
  },
  ofArchivers('archiver_lag_rows', 'Ids between the mark and the newest row: at most this many rows wait.', (one) =>
    numberOf(one.lag.rows),
  ),
  ofArchivers(
    'archiver_lag_seconds',
    'How long the oldest waiting row has been waiting, by the time of its measurement; 0 where none waits.',
    (one) => seconds(one.lag.ms),
  ),
  ofArchivers('archiver_last_success_timestamp_seconds', 'When the archiver last ended without an error.', (one) =>
    timestamp(one.lastSuccessAt),
  ),
  ofArchivers('archiver_mark_id', 'The mark: id of the last row that is in the archive. Rounded above 2^53.', (one) =>
    numberOf(one.mark),
  ),
  ofArchivers('archiver_marked_timestamp_seconds', 'When the mark last moved.', (one) => timestamp(one.markedAt)),
  ofArchivers('archiver_next_run_timestamp_seconds', 'When the archiver runs next.', (one) => timestamp(one.nextRunAt)),
  ofArchivers('archiver_interval_seconds', 'Least time between two runs: batch_*_interval.', (one) =>
    seconds(one.policy?.intervalMs ?? null),
  ),
  ofArchivers('archiver_batch_progress_rows', 'Rows done of the batch under way; 0 where none is.', (one) =>
    one.batch === null ? 0 : one.batch.rows,
  ),
  ofArchivers('archiver_consecutive_failures', 'Failed runs since the last success.', (one) => one.failuresInARow),
  ofArchivers(
    'archiver_skipped_rows',
    'Rows that an operator has taken out with archiver skip.',
    (one) => one.skippedRows,
  ),
  {
    name: 'archiver_state',
    help: 'What the archiver does: 1 for the state that it is in, 0 for the others.',
    labels: ['archiver', 'state'],
    samples: ({ archivers }) =>
      archivers.flatMap(({ archiver, state }) => oneOf(STATES, state, (name) => ({ archiver, state: name }))),
  },
  {
    name: 'archiver_health',
    help: 'How it goes, for each archiver and for cleanup: 1 for what holds, 0 for the others. Late is past status_late_after.',
    labels: ['archiver', 'health'],
    samples: ({ archivers, cleanup }) =>
      [...archivers, ...(cleanup === null ? [] : [{ archiver: 'cleanup', health: cleanup.health }])].flatMap(
        ({ archiver, health }) => oneOf(HEALTHS, health, (name) => ({ archiver, health: name })),
      ),
  },
  {
    name: 'archiver_service_health',
    help: 'The worst of all archivers, cleanup and MySQL: 1 for what holds, 0 for the others.',
    labels: ['health'],
    samples: (status) => oneOf(HEALTHS, status.health, (health) => ({ health })),
  },
  ofCleanup('archiver_cleanup_last_run_timestamp_seconds', 'When cleanup last ran.', (one) => timestamp(one.lastRunAt)),
  ofCleanup('archiver_cleanup_next_run_timestamp_seconds', 'When cleanup runs next.', (one) =>
    timestamp(one.nextRunAt),
  ),
  ofCleanup(
    'archiver_cleanup_last_run_deleted_rows',
    'Rows that the last run of cleanup deleted.',
    (one) => one.deletedRows,
  ),
  {
    name: 'archiver_cleanup_kept_rows',
    help: 'Old rows that the last run of cleanup kept, by the table that points to them.',
    labels: ['table'],
    samples: ({ cleanup }) => (cleanup?.keptRows ?? []).map(({ table, rows }) => ({ labels: { table }, value: rows })),
  },
  ofCleanup('archiver_cleanup_oldest_row_timestamp_seconds', 'Time of the oldest row that MySQL still has.', (one) =>
    timestamp(one.oldestTs),
  ),
  {
    name: 'archiver_cleanup_state',
    help: 'What cleanup does: 1 for the state that it is in, 0 for the others.',
    labels: ['state'],
    samples: ({ cleanup }) => (cleanup === null ? [] : oneOf(CLEANUP_STATES, cleanup.state, (state) => ({ state }))),
  },
  {
    name: 'archiver_cleanup_blocked',
    help: 'What holds deletion up: 1, with the reason; no series where nothing does.',
    labels: ['reason'],
    samples: ({ cleanup }) => (cleanup?.blocked ? [{ labels: { reason: cleanup.blocked.reason }, value: 1 }] : []),
  },
  single('archiver_newest_row_id', 'Id of the newest row of the source table. Rounded above 2^53.', ({ newest }) =>
    numberOf(newest?.id ?? null),
  ),
  single('archiver_newest_row_timestamp_seconds', 'Time of the newest row of the source table.', ({ newest }) =>
    timestamp(newest?.ts ?? null),
  ),
  single('archiver_mysql_up', 'Whether MySQL answers: 1 or 0.', ({ mysql }) => (mysql.reachable ? 1 : 0)),
  single('archiver_mysql_last_answer_timestamp_seconds', 'When MySQL last answered.', ({ mysql }) =>
    timestamp(mysql.answeredAt),
  ),
  single('archiver_mysql_pool_open_connections', 'Open connections to MySQL.', ({ mysql }) => mysql.pool?.open ?? null),
  single(
    'archiver_mysql_pool_idle_connections',
    'Open connections that nobody uses.',
    ({ mysql }) => mysql.pool?.idle ?? null,
  ),
  single(
    'archiver_mysql_pool_waiting_requests',
    'Requests that wait for a connection.',
    ({ mysql }) => mysql.pool?.waiting ?? null,
  ),
  single('archiver_leader', 'Whether this process holds the lock and archives: 1 or 0.', ({ service }) =>
    service?.role === 'leader' ? 1 : 0,
  ),
  {
    name: 'archiver_role',
    help: 'Role of this process: 1 for the one that it has, 0 for the others.',
    labels: ['role'],
    samples: ({ service }) => (service === null ? [] : oneOf(ROLES, service.role, (role) => ({ role }))),
  },
  single('archiver_role_since_timestamp_seconds', 'Since when it has this role.', ({ service }) =>
    timestamp(service?.since ?? null),
  ),
  single('archiver_lock_held', 'Whether anybody is known to hold the lock: 1 or 0.', ({ service, mysql }) =>
    service === null || mysql.answeredAt === null ? null : service.lock.holder === null ? 0 : 1,
  ),
  single(
    'archiver_config_last_reload_successful',
    'Whether the last change of settings was taken: 1 or 0.',
    ({ service }) => (service?.reload ? Number(service.reload.taken) : null),
  ),
  single(
    'archiver_config_last_reload_timestamp_seconds',
    'When the settings last changed, taken or not.',
    ({ service }) => timestamp(service?.reload?.at ?? null),
  ),
  single('archiver_status_timestamp_seconds', 'When what is told here was true.', ({ at }) => timestamp(at)),
  {
    name: 'archiver_build_info',
    help: 'Version of the program and of Node; always 1.',
    labels: ['version', 'node_version'],
    samples: ({ version }) => [{ labels: { version, node_version: process.version }, value: 1 }],
  },
  {
    name: 'archiver_service_info',
    help: 'What is archived; always 1.',
    labels: ['database', 'table'],
    samples: ({ database, table }) => [{ labels: { database, table }, value: 1 }],
  },
]

function ofArchivers(name: string, help: string, value: (archiver: ArchiverState) => number | null): StatusGauge {
  const samples = ({ archivers }: ServiceStatus) =>
    archivers.map((one) => ({ labels: { archiver: one.archiver }, value: value(one) }))
  return { name, help, labels: ['archiver'], samples }
}

function ofCleanup(name: string, help: string, value: (cleanup: CleanupState) => number | null): StatusGauge {
  return single(name, help, ({ cleanup }) => (cleanup === null ? null : value(cleanup)))
}

function single(name: string, help: string, value: (status: ServiceStatus) => number | null): StatusGauge {
  return { name, help, labels: [], samples: (status) => [{ value: value(status) }] }
}

/** 1 for what holds, 0 for the rest: so that each series goes on. */
function oneOf<T extends string>(all: readonly T[], holds: T, labels: (name: T) => Record<string, string>): Sample[] {
  return all.map((name) => ({ labels: labels(name), value: name === holds ? 1 : 0 }))
}

function numberOf(id: string | null): number | null {
  return id === null ? null : Number(id)
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}

function timestamp(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso) / 1000
}
