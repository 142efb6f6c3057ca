import type { FoundTable, Session } from '@archiver/mysql'
import type { Rights } from '../jobs/account-rights.js'
import type { ArchiveState } from '../jobs/look-at-archive.js'

/** What `archiver init` found, and what it would run. */
export interface InitPlan {
  /** The source table. */
  readonly table: string
  readonly session: Session
  readonly tables: readonly FoundTable[]
  /** Archivers that are turned on. */
  readonly on: readonly string[]
  /** Archivers that are to be turned on. */
  readonly turnOn: readonly string[]
  readonly archives: readonly ArchiveState[]
  /** For MySQL: creates tables; turns archivers on. */
  readonly sql: { readonly create: readonly string[]; readonly turnOn: readonly string[] }
  readonly rights: Rights
  /** What keeps the lag of replicas from being seen. */
  readonly unseen: readonly string[]
}

/** The plan for people. Statements stand in lines of their own and end with a semicolon. */
export function planLines(plan: InitPlan): string[] {
  const { session, sql, rights, unseen } = plan
  return [
    ...plan.tables.flatMap((table) => [tableLine(table), ...keyLines(table, plan.table)]),
    ...plan.on.map((name) => `${name}: is on`),
    ...plan.turnOn.map((name) => `${name}: is off`),
    ...plan.archives.flatMap(archiveLines),
    ...section(`For MySQL, database ${session.database}:`, ended([...sql.create, ...sql.turnOn])),
    ...plan.archives.flatMap(({ name, statements }) => section(`For ${name}:`, ended(statements))),
    ...plan.archives.flatMap((archive) => archiveRights(archive, plan.table)),
    ...section(`The account ${session.account} needs for`, rights.lines),
    ...(rights.grants.length === 0 && rights.unknown.length === 0 ? ['and has it all'] : []),
    ...section('It lacks:', ended(rights.grants)),
    ...rights.unknown.map((what) => `could not tell whether it has ${what}`),
    ...unseen.map((what) => `cleanup: ${what}. See docs/cleanup.md for the grants`),
  ]
}

function tableLine({ name, state, misfits }: FoundTable): string {
  if (misfits.length > 0) return `${name}: has another form: ${misfits.join('; ')}. Alter or rename it`
  return `${name}: ${{ there: 'is there', missing: 'is missing', unknown: 'may not be looked at' }[state]}`
}

function keyLines({ name, withoutKey }: FoundTable, source: string): string[] {
  if (withoutKey === undefined) return []
  return [
    `${name}: ${source} ${withoutKey}, so no foreign key can refer to it: the statement below makes the table without one`,
  ]
}

function archiveLines({ name, archiver, statements, note }: ArchiveState): string[] {
  if (note !== undefined) return [`${name}: ${note}`]
  if (archiver?.pendingDdl === undefined) return []
  return [`${name}: its table is ${statements.length === 0 ? 'there' : 'missing'}`]
}

function archiveRights({ name, archiver }: ArchiveState, table: string): string[] {
  const lines = (archiver?.rights?.(table) ?? []).map(({ right, without }) => `${right} (without it: ${without})`)
  return section(`The account of ${name} needs`, lines)
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines]
}

function ended(statements: readonly string[]): string[] {
  return statements.map((statement) => `${statement};`)
}
