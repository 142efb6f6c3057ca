import type { Connection, RowDataPacket } from 'mysql2'
import { connect, cutOff, disconnect } from './connect.js'
import type { MySqlSettings } from './settings.js'
import { type SilentStatement, silentStatements } from './silence.js'

/** A question about a statement that waits must not wait long itself. */
const ANSWER_MS = 5_000

/** Lock types that other sessions have to wait for. */
const CONFLICTING =
  "'EXCLUSIVE', 'SHARED_NO_READ_WRITE', 'SHARED_NO_WRITE', 'SHARED_READ_ONLY', 'SHARED_UPGRADABLE', 'SHARED'"

/** MySQL. Who holds, or asked first for, the metadata lock that a connection waits for. */
const HOLDERS_MYSQL = `
  select distinct t.processlist_id as id, t.processlist_user as user, t.processlist_host as host,
    t.processlist_info as info, m.lock_type as type
  from performance_schema.metadata_locks w
    join performance_schema.threads wt on wt.thread_id = w.owner_thread_id
    join performance_schema.metadata_locks m on m.object_type = w.object_type
      and m.object_schema <=> w.object_schema and m.object_name <=> w.object_name and m.owner_thread_id <> w.owner_thread_id
    join performance_schema.threads t on t.thread_id = m.owner_thread_id
  where w.lock_status = 'PENDING' and wt.processlist_id = ? and m.lock_type in (${CONFLICTING})
  limit 3`

/** MariaDB, where the plugin METADATA_LOCK_INFO is installed. */
const HOLDERS_MARIADB = `
  select distinct p.id, p.user, p.host, p.info, m.lock_mode as type
  from information_schema.metadata_lock_info m join information_schema.processlist p on p.id = m.thread_id
  where p.id <> ? and m.lock_mode in ('MDL_EXCLUSIVE', 'MDL_SHARED_NO_READ_WRITE', 'MDL_SHARED_NO_WRITE', 'MDL_SHARED',
    'MDL_SHARED_READ_ONLY', 'MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2', 'MDL_BACKUP_DDL', 'MDL_BACKUP_BLOCK_DDL',
    'MDL_BACKUP_WAIT_DDL', 'MDL_BACKUP_WAIT_COMMIT', 'MDL_BACKUP_WAIT_FLUSH')
  limit 3`

/** Any server: statements that take such locks, and are running. */
const HOLDERS_BY_STATEMENT = `
  select id, user, host, info, '' as type from information_schema.processlist
  where id <> ? and info regexp '^[[:space:]]*(alter|create|drop|rename|truncate|optimize|flush|lock|backup)' limit 3`

/**
 * Calls `onWait` once for each statement of this process that has been waiting for a lock of a table or of the whole server
 * (metadata lock, global read lock) for 5 seconds, with a sentence that names who holds it, where the account may see that.
 *
 * @param settings - of the server; a function is called at each wait.
 */
export function watchLockWaits(
  settings: MySqlSettings | (() => MySqlSettings),
  onWait: (text: string) => void,
): Disposable {
  const onSilent = (message: unknown): void => {
    const { threadId } = message as SilentStatement // the only publisher of this channel is silence.ts
    void describeWait(typeof settings === 'function' ? settings() : settings, threadId).then(
      (text) => text !== null && onWait(text),
      // The statement's own error says what is wrong with the server.
      () => undefined,
    )
  }
  silentStatements.subscribe(onSilent)
  return { [Symbol.dispose]: () => void silentStatements.unsubscribe(onSilent) }
}

/** What the connection waits for; null where it does not wait for a lock of a table. */
export async function describeWait(settings: MySqlSettings, threadId: number): Promise<string | null> {
  const connection = await connect({ ...settings, readTimeoutMs: ANSWER_MS })
  const end = setTimeout(() => cutOff(connection), 2 * ANSWER_MS)
  try {
    const sql = 'select state, info, time from information_schema.processlist where id = ?'
    const [thread] = await ask(connection, sql, threadId)
    const state = String(thread?.state ?? '')
    // `Waiting for table metadata lock`, `Waiting for global read lock`, `Waiting for backup lock`, `Waiting for table flush`.
    if (!/^waiting for .*(lock|flush|mdl)/i.test(state) || /row lock/i.test(state)) return null
    const holders = await findHolders(connection, threadId)
    const by = holders.length === 0 ? 'this account cannot see who holds it' : `held by ${holders.join('; ')}`
    return `a statement has been waiting for ${thread?.time} s (${state}): ${shorten(String(thread?.info ?? ''))}; ${by}`
  } finally {
    clearTimeout(end)
    await disconnect(connection)
  }
}

async function findHolders(connection: Connection, threadId: number): Promise<string[]> {
  for (const sql of [HOLDERS_MYSQL, HOLDERS_MARIADB, HOLDERS_BY_STATEMENT]) {
    // A server without these tables, or an account that may not read them: the next question.
    const rows = await ask(connection, sql, threadId).catch(() => [])
    if (rows.length > 0) return rows.map(describeHolder)
  }
  return []
}

function describeHolder({ id, user, host, info, type }: RowDataPacket): string {
  const statement = info === null ? 'no statement at the moment' : shorten(String(info))
  return `connection ${id}, user ${user}, host ${host}${type ? `, ${type}` : ''}: ${statement}`
}

function shorten(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}

function ask(connection: Connection, sql: string, id: number): Promise<RowDataPacket[]> {
  return new Promise((resolve, reject) =>
    connection.execute<RowDataPacket[]>(sql, [id], (error, rows) => (error ? reject(error) : resolve(rows))),
  )
}
