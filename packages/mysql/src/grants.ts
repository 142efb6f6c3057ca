import { errorText } from '@archiver/core'
import type { Connection } from 'mysql2'
import { isDenied, isMissingTable } from './mysql-errors.js'
import { controlTableNames, quoteName, statusTableSql } from './tables.js'

export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'CREATE' | 'REFERENCES'

/** A right on a table, and a statement that takes it and no other on that table, and would change no row. */
export interface Need {
  readonly privilege: Privilege
  /** Not quoted. */
  readonly table: string
  readonly probe: string
}

/** Whether the account has a right; `why` says why nobody can tell. */
export interface NeedAnswer extends Need {
  readonly answer: 'granted' | 'lacking' | 'unknown'
  readonly why?: string
}

/** For archiving, and for what an operator does beside it: `verify`, `mark`, `skip`. */
export function archiveNeeds(table: string): readonly Need[] {
  const { status, batch, skip } = controlTableNames(table)
  return [
    select(table),
    select(status),
    update(status, 'log_score_id = null, modified_on = current_timestamp'),
    select(batch),
    insert(batch),
    update(batch, 'state = 1'),
    remove(batch),
    select(skip),
    insert(skip),
  ]
}

/** For deleting archived rows, beside what archiving needs. */
export function cleanupNeeds(table: string): readonly Need[] {
  return [remove(table)]
}

/** For creating tables. @param foreignKey - whether the status table is to refer to the source table. */
export function createNeeds(table: string, missing: readonly string[], foreignKey = true): readonly Need[] {
  const { status } = controlTableNames(table)
  const probes = missing.map((name) => create(name))
  // MariaDB does not ask for it.
  const references: Need = { privilege: 'REFERENCES', table, probe: statusTableSql(table) }
  return missing.includes(status) && foreignKey ? [...probes, references] : probes
}

/** For turning archivers on. */
export function turnOnNeeds(table: string): readonly Need[] {
  return [insert(controlTableNames(table).status)]
}

/**
 * Asks the server, which knows about roles, wildcards and partial revokes: a statement is prepared and never executed.
 * Both kinds of servers look at the rights then, and before they look for the table.
 */
export async function checkNeeds(connection: Connection, needs: readonly Need[]): Promise<readonly NeedAnswer[]> {
  const answers: NeedAnswer[] = []
  for (const need of needs) answers.push({ ...need, ...(await ask(connection, need)) })
  return answers
}

/** The statement that grants what is lacking on one table. @param account - `name@host` of CURRENT_USER(). */
export function grantSql(account: string, database: string, table: string, privileges: readonly Privilege[]): string {
  const at = account.lastIndexOf('@')
  const quoted = [account.slice(0, at), account.slice(at + 1)].map((part) => `'${part.replaceAll("'", "''")}'`)
  return `grant ${privileges.join(', ').toLowerCase()} on ${quoteName(database)}.${quoteName(table)} to ${quoted.join('@')}`
}

async function ask(connection: Connection, { privilege, probe }: Need): Promise<Pick<NeedAnswer, 'answer' | 'why'>> {
  try {
    await prepare(connection, probe)
    return { answer: 'granted' }
  } catch (error) {
    if (isMissingTable(error)) return { answer: 'granted' }
    const why = errorText(error)
    // The statement of REFERENCES takes CREATE as well.
    const ofThis = privilege !== 'REFERENCES' || why.startsWith(privilege)
    return isDenied(error) && ofThis ? { answer: 'lacking' } : { answer: 'unknown', why }
  }
}

function prepare(connection: Connection, probe: string): Promise<void> {
  return new Promise((resolve, reject) =>
    connection.prepare(probe, (error, statement) => {
      if (error) return reject(error)
      statement.close()
      resolve()
    }),
  )
}

function select(table: string): Need {
  return { privilege: 'SELECT', table, probe: `select * from ${quoteName(table)}` }
}

function insert(table: string): Need {
  return {
    privilege: 'INSERT',
    table,
    probe: `insert into ${quoteName(table)} (archiver) select '' from dual where false`,
  }
}

function update(table: string, set: string): Need {
  return { privilege: 'UPDATE', table, probe: `update ${quoteName(table)} set ${set} where false` }
}

function remove(table: string): Need {
  return { privilege: 'DELETE', table, probe: `delete from ${quoteName(table)} where false` }
}

function create(table: string): Need {
  return { privilege: 'CREATE', table, probe: `create table if not exists ${quoteName(table)} (id int)` }
}
