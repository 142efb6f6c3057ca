import { ArchiverError, type IdRange } from '@archiver/core'
import type { Finding } from '@archiver/core/reconcile'

/** Why nothing (more) may be deleted now. Rows that were deleted before stay deleted; they were safe to delete. */
export type Blocked =
  /** No row but the cleaner's own in the status table: nothing says that anything is archived. */
  | { readonly reason: 'no-archiver' }
  /** These archivers have stored nothing yet. */
  | { readonly reason: 'no-mark'; readonly archivers: readonly string[] }
  /** The clocks of this host and of the server; positive where the host's is ahead. */
  | { readonly reason: 'clock'; readonly apartMs: number }
  | { readonly reason: 'paused'; readonly file: string }
  /** For a restore, with what it says of itself. */
  | { readonly reason: 'held'; readonly why: string }
  | { readonly reason: 'load'; readonly threadsRunning: number; readonly limit: number }
  /** `lagMs` is null where replication does not run, or the replica does not say; then `why` does. */
  | {
      readonly reason: 'replica-lag'
      readonly replica: string
      readonly lagMs: number | null
      readonly limitMs: number
      readonly why?: string
    }
  /** Galera holds back its writers; `share` of the time since the last look, 0 to 1. */
  | { readonly reason: 'flow-control'; readonly share: number }
  /** The archive lacks late rows, and an unfinished batch has to be finished before they can be stored. */
  | { readonly reason: 'unfinished-batch'; readonly archiver: string }
  /** The archive lacks rows that came late, and cannot take them. */
  | { readonly reason: 'late-rows'; readonly archiver: string; readonly range: IdRange; readonly error: Error }
  /** What the archive holds is not what the source has, and that cannot be mended. Up to 20 are named. */
  | {
      readonly reason: 'difference'
      readonly archiver: string
      readonly findings: readonly Finding[]
      /** Whether there are more than these. */
      readonly more: boolean
    }
  /** A foreign key or a trigger does not let this row be deleted. `triggers` are those that the table has for a deletion. */
  | {
      readonly reason: 'delete-refused'
      readonly id: bigint
      readonly error: Error
      readonly triggers: readonly string[]
    }
  /** Files (objects) of the catalogue that are not there any more. */
  | { readonly reason: 'files-gone'; readonly archiver: string; readonly identities: readonly string[] }
  /** Rows that are old enough have columns, or keys of `attributes`, that no archive keeps and nobody has acknowledged. */
  | {
      readonly reason: 'unarchived'
      readonly columns: readonly string[]
      readonly keys: readonly string[]
      readonly rows: number
    }
  | { readonly reason: 'archive-unreadable'; readonly archiver: string; readonly error: Error }

/** Reasons that pass without anybody doing anything, or that somebody has asked for. */
const PASSING: ReadonlySet<Blocked['reason']> = new Set([
  'paused',
  'held',
  'load',
  'replica-lag',
  'flow-control',
  'unfinished-batch',
])

/** Whether somebody has to do something about it; the others pass, or were asked for. */
export function needsOperator({ reason }: Blocked): boolean {
  return !PASSING.has(reason)
}

const COSTLY: ReadonlySet<Blocked['reason']> = new Set([
  'unarchived',
  'late-rows',
  'difference',
  'files-gone',
  'archive-unreadable',
  'delete-refused',
])

/** Whether it costs much to find this out (an archive was read, for one): the next run waits for its interval. */
export function wasCostly({ reason }: Blocked): boolean {
  return COSTLY.has(reason)
}

/** The reason in one sentence, and what to do, for the operator. */
export function describeBlocked(blocked: Blocked, table: string): { readonly why: string; readonly hint: string } {
  const status = `${table}_archive_status`
  switch (blocked.reason) {
    case 'no-archiver':
      return {
        why: `no archiver is turned on in ${status}`,
        hint: `Without one no row counts as archived. Turn one on: insert into \`${status}\` (archiver) values ('clickhouse');`,
      }
    case 'no-mark':
      return {
        why: `${blocked.archivers.join(', ')}: turned on in ${status}, and nothing stored yet`,
        hint:
          'Two ways out: let it catch up (run `archiver archive` where it is configured), or turn it off: ' +
          `delete from \`${status}\` where archiver in (${blocked.archivers.map((name) => `'${name}'`).join(', ')});`,
      }
    case 'clock':
      return {
        why: `the clocks of this host and of MySQL are ${Math.round(Math.abs(blocked.apartMs) / 1000)} s apart`,
        hint: 'Set them right: which rows are old enough goes by the clock.',
      }
    case 'paused':
      return { why: `${blocked.file} is there`, hint: 'Remove the file to go on.' }
    case 'held':
      return { why: `held up for ${blocked.why}`, hint: `To go on: archiver restore --resume-cleanup --into ${table}` }
    case 'load':
      return {
        why: `Threads_running is ${blocked.threadsRunning}, above ${blocked.limit}`,
        hint: 'It goes on by itself. cleanup_max_load is the limit.',
      }
    case 'replica-lag':
      return {
        why: `replica ${blocked.replica}: ${lagText(blocked)}`,
        hint: replicaHint(blocked),
      }
    case 'flow-control':
      return {
        why: `Galera paused its writers for ${Math.round(blocked.share * 100)}% of the time`,
        hint: 'It goes on by itself once the slowest node keeps up.',
      }
    case 'unfinished-batch':
      return { why: `${blocked.archiver} has an unfinished batch`, hint: 'Its next pass finishes it.' }
    case 'late-rows': {
      const { afterId, upToId } = blocked.range
      return {
        why: `${blocked.archiver} lacks late rows of ids ${afterId + 1n} to ${upToId}: ${blocked.error.message}`,
        hint: 'They have to be stored there before they are deleted. Correct what the message says, or `archiver skip` the row.',
      }
    }
    case 'difference':
      return {
        why: `${blocked.archiver} differs from ${table}: ${blocked.findings.map(findingText).join('; ')}${blocked.more ? '; and more' : ''}`,
        hint: 'Nothing of that range is deleted. `archiver verify` shows all; correct the archive or the rows.',
      }
    case 'delete-refused':
      return refusedText(blocked, table)
    case 'files-gone':
      return {
        why: `${blocked.archiver} does not have ${blocked.identities.join(', ')} any more`,
        hint: 'Bring them back; or, where they were moved away on purpose and are safe, set avro_moved=ok.',
      }
    case 'unarchived': {
      const names = [...blocked.columns, ...blocked.keys]
      return {
        why: `${blocked.rows} old rows have ${unarchivedText(blocked)}, and no archive keeps that: they would be lost for good`,
        hint: `If they may be lost: unarchived=${names.join(',')}. avro_schema=2 keeps the keys of attributes of rows that are archived from then on.`,
      }
    }
    case 'archive-unreadable':
      return {
        why: `${blocked.archiver} cannot be asked what it holds: ${blocked.error.message}${codeOf(blocked.error)}`,
        hint: `${hintOf(blocked.error)}Nothing is deleted before the archive has answered.`,
      }
  }
}

function codeOf(error: Error): string {
  return error instanceof ArchiverError ? ` (${error.code})` : ''
}

/** What the error itself says is to be done, ready for a sentence to follow. */
function hintOf(error: Error): string {
  return error instanceof ArchiverError && error.hint !== undefined ? `${error.hint} ` : ''
}

function refusedText({ id, error, triggers }: Extract<Blocked, { reason: 'delete-refused' }>, table: string) {
  const why = `MySQL refuses to delete row ${id} of ${table}: ${error.message}`
  if (/foreign key constraint/i.test(error.message)) {
    const hint =
      'Grant the account SELECT on the table that refers to the row: then the cleaner keeps such rows and deletes the others.'
    return { why, hint }
  }
  const named = triggers.length === 0 ? 'a trigger' : `the trigger ${triggers.join(' or ')}`
  return { why, hint: `Correct the row or ${named}; nothing from this row on is deleted until then.` }
}

function unarchivedText({ columns, keys }: Extract<Blocked, { reason: 'unarchived' }>): string {
  const kinds: readonly (readonly [kind: string, names: readonly string[]])[] = [
    [columns.length === 1 ? 'the column' : 'the columns', columns],
    [keys.length === 1 ? 'the key of attributes' : 'the keys of attributes', keys],
  ]
  return kinds.flatMap(([kind, names]) => (names.length === 0 ? [] : [`${kind} ${names.join(', ')}`])).join(' and ')
}

function replicaHint({ replica, lagMs }: Extract<Blocked, { reason: 'replica-lag' }>): string {
  if (lagMs !== null) {
    return 'The next run continues once the replica keeps up. cleanup_max_lag is the limit, cleanup_replicas says which count.'
  }
  return `Correct that, or name the replicas that count in cleanup_replicas. If this one may fall behind: cleanup_replicas_ignored=${replica}`
}

function lagText({ lagMs, limitMs, why }: Extract<Blocked, { reason: 'replica-lag' }>): string {
  return lagMs === null ? (why ?? 'replication does not run') : `${lagMs / 1000} s behind, above ${limitMs / 1000} s`
}

function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'missing':
    case 'doubled':
    case 'extra': {
      const { kind, firstId, lastId, rows } = finding
      return rows === 1 ? `row ${firstId} is ${kind}` : `${rows} rows of ids ${firstId} to ${lastId} are ${kind}`
    }
    case 'different':
      return `row ${finding.id} differs in ${finding.columns.map(({ column }) => column).join(', ')}`
    case 'gone':
      return `${finding.identity} is gone`
    case 'unreadable':
      return finding.message
  }
}
