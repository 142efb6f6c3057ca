import { ArchiverError, errorText } from '@archiver/core'
import type { Connection, RowDataPacket } from 'mysql2'

/** A session variable that changes what a statement means or does, and the value that the program relies on. */
interface Pin {
  readonly name: string
  /** As SQL. */
  readonly value: string
  /** Only this kind of server has the variable. */
  readonly on?: 'mysql' | 'mariadb'
}

const ALL_ROWS = '18446744073709551615'

/**
 * Everything that a session would inherit from the server's global variables and that the program relies on. An account
 * needs no privilege to set these for its own session, on MySQL 8 and 9 and on MariaDB 10.6 and later.
 *
 * max_error_count is not among them: MySQL asks for a privilege there. Who reads warnings also counts them.
 */
const PINS: readonly Pin[] = [
  { name: 'autocommit', value: '1' },
  // COMMIT must neither begin another transaction nor end the connection.
  { name: 'completion_type', value: "'NO_CHAIN'" },
  { name: 'sql_mode', value: "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'" },
  { name: 'time_zone', value: "'+00:00'" },
  { name: 'character_set_client', value: "'utf8mb4'" },
  { name: 'character_set_results', value: "'utf8mb4'" },
  { name: 'collation_connection', value: "'utf8mb4_bin'" },
  { name: 'lc_messages', value: "'en_US'" },
  { name: 'sql_safe_updates', value: '0' },
  { name: 'sql_select_limit', value: ALL_ROWS },
  { name: 'max_join_size', value: ALL_ROWS },
  // After max_join_size, which changes it.
  { name: 'sql_big_selects', value: '1' },
  { name: 'sql_auto_is_null', value: '0' },
  { name: 'sql_notes', value: '1' },
  { name: 'sql_quote_show_create', value: '1' },
  { name: 'foreign_key_checks', value: '1' },
  { name: 'unique_checks', value: '1' },
  { name: 'div_precision_increment', value: '4' },
  { name: 'group_concat_max_len', value: '1048576' },
  { name: 'net_read_timeout', value: '60' },
  { name: 'net_write_timeout', value: '60' },
  // A person may think for long at a prompt. The lock's session has a shorter one.
  { name: 'wait_timeout', value: '28800' },
  // Shorter than db_read_timeout is by default, so that the server says what a statement waited for.
  { name: 'lock_wait_timeout', value: '60' },
  { name: 'innodb_lock_wait_timeout', value: '50' },
  { name: 'transaction_isolation', value: "'REPEATABLE-READ'", on: 'mysql' },
  { name: 'transaction_read_only', value: '0', on: 'mysql' },
  { name: 'max_execution_time', value: '0', on: 'mysql' },
  { name: 'tx_isolation', value: "'REPEATABLE-READ'", on: 'mariadb' },
  { name: 'tx_read_only', value: '0', on: 'mariadb' },
  { name: 'max_statement_time', value: '0', on: 'mariadb' },
  { name: 'old_mode', value: "''", on: 'mariadb' },
  { name: 'check_constraint_checks', value: '1', on: 'mariadb' },
  { name: 'idle_transaction_timeout', value: '0', on: 'mariadb' },
  { name: 'idle_write_transaction_timeout', value: '0', on: 'mariadb' },
  { name: 'idle_readonly_transaction_timeout', value: '0', on: 'mariadb' },
]

/** MariaDB passes over MySQL's comments of these versions, and MySQL over all of MariaDB's. */
const COMMENTS = { mysql: '/*!50720', mariadb: '/*M!100300' }

/** For {@link pinSession}: a locking read locks the rows and not the gaps between them. */
export const READ_COMMITTED = `${COMMENTS.mysql} transaction_isolation*/ ${COMMENTS.mariadb} tx_isolation*/ = 'READ-COMMITTED'`

const JOINT = `set ${[undefined, 'mysql', 'mariadb'].map(assignments).join(' ')}`

/** What a server or a proxy may have passed over without an error, and what a wrong value of would spoil the archives. */
const CHECKED = PINS.filter(({ name }) =>
  ['autocommit', 'sql_mode', 'time_zone', 'character_set_client', 'character_set_results'].includes(name),
)

/**
 * Sets every variable that the program relies on, in one statement, and checks the most important of them.
 *
 * @param session - further assignments, which win.
 * @throws ArchiverError (MYSQL_SESSION) naming the variables that the server does not let be set.
 */
export async function pinSession(connection: Connection, session: string): Promise<void> {
  const further = session === '' ? '' : `, ${session}`
  try {
    await ask(connection, JOINT + further)
  } catch (error) {
    if ((error as { fatal?: boolean }).fatal === true) throw error
    await pinEach(connection, session)
    return
  }
  const [row = {}] = await ask(
    connection,
    `select ${CHECKED.map(({ name }) => `@@session.${name} as ${name}`).join(', ')}`,
  )
  refuseDifferent(CHECKED, new Map(Object.entries(row)), [])
}

/** One by one: a server that does not know one of the variables, or refuses it, still gets the others. */
async function pinEach(connection: Connection, session: string): Promise<void> {
  const refusals: string[] = []
  for (const { name, value } of PINS) {
    await ask(connection, `set ${name} = ${value}`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ER_UNKNOWN_SYSTEM_VARIABLE') refusals.push(errorText(error))
    })
  }
  if (session !== '') await ask(connection, `set ${session}`)
  const names = PINS.map(({ name }) => `'${name}'`).join(', ')
  const rows = await ask(connection, `show session variables where variable_name in (${names})`)
  const values = new Map(rows.map(({ Variable_name: name, Value: value }) => [String(name), value]))
  const overridden = (name: string): boolean => session.includes(name)
  refuseDifferent(
    PINS.filter(({ name }) => values.has(name) && !overridden(name)),
    values,
    refusals,
  )
}

function refuseDifferent(
  pins: readonly Pin[],
  values: ReadonlyMap<string, unknown>,
  refusals: readonly string[],
): void {
  const different = pins.filter(({ name, value }) => plain(values.get(name)) !== plain(value.replaceAll("'", '')))
  if (different.length === 0) return
  const names = different.map(({ name, value }) => `${name} is ${JSON.stringify(values.get(name))} and not ${value}`)
  const why = refusals.length === 0 ? '' : ` (${refusals.join('; ')})`
  throw new ArchiverError(`MySQL does not let the session be set up: ${names.join(', ')}${why}`, {
    code: 'MYSQL_SESSION',
    hint: 'Set these variables globally, or grant the account the right to set them for its session.',
  })
}

/** One spelling for what servers print in several. */
function plain(value: unknown): string {
  const text = String(value).toUpperCase()
  if (text === 'ON') return '1'
  if (text === 'OFF') return '0'
  return /^\d+\.0+$/.test(text) ? text.slice(0, text.indexOf('.')) : text
}

function assignments(on: string | undefined): string {
  const list = PINS.filter((pin) => pin.on === on)
    .map(({ name, value }) => `${name} = ${value}`)
    .join(', ')
  return on === undefined ? list : `${COMMENTS[on as keyof typeof COMMENTS]} , ${list}*/`
}

function ask(connection: Connection, sql: string): Promise<RowDataPacket[]> {
  return new Promise((resolve, reject) =>
    connection.query<RowDataPacket[]>(sql, (error, rows) => (error ? reject(error) : resolve(rows))),
  )
}
