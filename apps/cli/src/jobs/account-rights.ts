import {
  archiveNeeds,
  checkNeeds,
  cleanupNeeds,
  createNeeds,
  grantSql,
  type MySqlLock,
  type Need,
  type NeedAnswer,
  type Session,
  turnOnNeeds,
} from '@archiver/mysql'

/** What the account is to do. */
export interface Work {
  readonly table: string
  readonly cleanup: boolean
  /** Names of the tables that are to be created. */
  readonly create: readonly string[]
  /** Whether the status table is to have a foreign key. Default true. */
  readonly foreignKey?: boolean
  readonly turnOn: boolean
}

/** What the account needs, and what of it it has. */
export interface Rights {
  /** For people: what is needed for what. */
  readonly lines: readonly string[]
  /** Grant what is lacking. */
  readonly grants: readonly string[]
  /** What the server could not be asked. */
  readonly unknown: readonly string[]
  /** Whether it lacks something that the statements themselves need. */
  readonly mayNotRun: boolean
}

/** Asks the server what the account may do. Changes nothing. */
export async function accountRights(
  connection: MySqlLock['connection'],
  session: Session,
  { table, cleanup, create, turnOn, foreignKey = true }: Work,
): Promise<Rights> {
  const setUp = [...createNeeds(table, create, foreignKey), ...(turnOn ? turnOnNeeds(table) : [])]
  const works: readonly (readonly [purpose: string, needs: readonly Need[]])[] = [
    ['archive, verify, mark, skip', archiveNeeds(table)],
    ['cleanup', cleanup ? cleanupNeeds(table) : []],
    ['these statements', setUp],
  ]
  const needs = works.flatMap(([, list]) => list)
  const answers = await checkNeeds(connection, needs)
  const lacking = answers.filter(({ answer }) => answer === 'lacking')
  return {
    lines: works
      .filter(([, list]) => list.length > 0)
      .map(
        ([purpose, list]) =>
          `  ${purpose}: ${byTable(list)
            .map(([name, rights]) => `${rights.join(', ')} on ${name}`)
            .join('; ')}`,
      ),
    grants: byTable(lacking).map(([name, rights]) => grantSql(session.account, session.database, name, rights)),
    unknown: answers
      .filter(({ answer }) => answer === 'unknown')
      .map(({ privilege, table: name, why }) => `${privilege} on ${name}: ${why}`),
    mayNotRun: lacking.some((need) => setUp.some((other) => isSame(need, other))),
  }
}

/** The rights on each table, each once. */
function byTable(needs: readonly (Need | NeedAnswer)[]): [table: string, Need['privilege'][]][] {
  const groups = Map.groupBy(needs, ({ table }) => table)
  return [...groups].map(([table, group]) => [table, [...new Set(group.map(({ privilege }) => privilege))]])
}

function isSame(a: Need, b: Need): boolean {
  return a.table === b.table && a.privilege === b.privilege
}
