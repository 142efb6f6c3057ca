import type { Connection, RowDataPacket } from 'mysql2'

/** The names that one lock consists of. Each has at most 64 characters, which is MySQL's limit. */
export interface LockNames {
  /** The name that messages and the status show. */
  readonly name: string
  /** Further names that the same session holds: those which versions of the Go program lock. */
  readonly others?: readonly string[]
  /** The one of `others` that does not contain the name of the database. */
  readonly shared?: SharedName
  /** Names that are not taken, and that no Go program may hold at the start. */
  readonly foreign?: readonly string[]
  /** All names that a holder of a `foreign` name may have if it is ours. A Go program holds exactly one. */
  readonly ours?: readonly string[]
  /** The names where the server spells the name of the database as given. Absent: no name contains it. */
  readonly spelled?: (database: string) => LockNames
}

/**
 * A name that all databases of a server share. An archiver of ours that holds it for another database does not keep this
 * one out; a Go program does.
 */
export interface SharedName {
  readonly name: string
  /** Names of which an archiver of ours that works in `database` holds at least one. */
  readonly ofDatabase: (database: string) => readonly string[]
  /** A name of our own, held in its place: it shows that the holder is ours. */
  readonly instead?: string
}

/** A name that another session holds. */
export interface HeldName {
  readonly name: string
  /** For people: the connection, its user and host, as far as the server tells. */
  readonly holder: string
}

/** What became of an attempt to take every name. */
export type TakenNames =
  | { readonly held: HeldName }
  /** `without`: the shared name, which an archiver of ours holds for another database. */
  | { readonly held: null; readonly names: readonly string[]; readonly without: HeldName | null }

/**
 * The names with the server's own spelling of the database first: with `lower_case_table_names=1` a client may spell it in
 * several ways, and MariaDB distinguishes the case of lock names. The names as configured follow: a Go program that has the
 * same configuration locks those.
 */
export async function namesOnServer(connection: Connection, lock: LockNames): Promise<LockNames> {
  if (lock.spelled === undefined) return lock
  const [database] = await askRow(connection, 'select database()', [])
  if (typeof database !== 'string') return lock
  const own = lock.spelled(database)
  if (own.name === lock.name) return lock
  const both = (a: readonly string[] = [], b: readonly string[] = []): string[] => [...new Set([...a, ...b])]
  return {
    ...own,
    others: both(own.others, [lock.name, ...(lock.others ?? [])]),
    ...(own.foreign && { foreign: both(own.foreign, lock.foreign) }),
    ...(own.ours && { ours: both(own.ours, lock.ours) }),
  }
}

/**
 * Takes every name in one session, in a fixed order, so that two sessions never wait for each other. What was taken stays
 * taken when a later name is refused: the caller closes the connection.
 */
export async function takeNames(connection: Connection, lock: LockNames, timeoutMs: number): Promise<TakenNames> {
  const deadlineMs = performance.now() + timeoutMs
  const leftS = (): number => Math.max(0, Math.ceil((deadlineMs - performance.now()) / 1000))
  const names: string[] = []
  let without: HeldName | null = null
  for (const name of new Set([lock.name, ...(lock.others ?? [])])) {
    const isShared = name === lock.shared?.name
    const { isTaken, holder } = isShared ? await tryShared(connection, lock.shared) : NOT_TAKEN
    without ??= holder
    const wanted = holder === null ? name : lock.shared?.instead
    if (wanted === undefined) continue
    if (!isTaken && !(await getLock(connection, wanted, leftS()))) {
      return { held: { name: wanted, holder: await describeHolder(connection, wanted) } }
    }
    names.push(wanted)
  }
  const held = await foreignHolder(connection, lock)
  return held === null ? { held, names, without } : { held }
}

/** Whether this session holds all of these names. */
export async function holdsNames(connection: Connection, names: readonly string[]): Promise<boolean> {
  const each = names.map(() => 'is_used_lock(?) = connection_id()').join(' and ')
  const [held] = await askRow(connection, `select ${each}`, names)
  return held === 1
}

async function getLock(connection: Connection, name: string, timeoutS: number): Promise<boolean> {
  const [taken] = await askRow(connection, 'select get_lock(?, ?)', [name, timeoutS])
  return taken === 1
}

/** What became of a first try to take a name, without waiting. */
interface FirstTry {
  readonly isTaken: boolean
  /** The archiver of ours that holds the name for another database. */
  readonly holder: HeldName | null
}

const NOT_TAKEN: FirstTry = { isTaken: false, holder: null }

/** More archivers of other databases than this would have to take the shared name, each between two of our statements. */
const MAX_SHARED_TRIES = 5

/**
 * Takes the shared name, or finds the archiver of ours that holds it for another database. It tries a few times: the name
 * may change hands between the statement that is refused and the one that looks for the holder.
 */
async function tryShared(connection: Connection, shared: SharedName): Promise<FirstTry> {
  for (let tries = 0; tries < MAX_SHARED_TRIES; tries++) {
    if (await getLock(connection, shared.name, 0)) return { isTaken: true, holder: null }
    const holder = await heldForAnotherDatabase(connection, shared)
    if (holder !== null) return { isTaken: false, holder }
  }
  return NOT_TAKEN
}

/** An archiver of ours that works in another database of this server and has the shared name; null where there is none. */
async function heldForAnotherDatabase(connection: Connection, shared: SharedName): Promise<HeldName | null> {
  const { name, ofDatabase } = shared
  const sql = 'select id, db from information_schema.processlist where id = is_used_lock(?) and db <> database()'
  const [id, database] = await askRow(connection, sql, [name])
  if (typeof database !== 'string') return null
  if (!(await holders(connection, ofDatabase(database))).includes(id)) return null
  return { name, holder: await describeHolder(connection, name) }
}

/** A Go program that works in this database. It holds one name only; an archiver of ours holds several. */
async function foreignHolder(connection: Connection, { foreign = [], ours = [] }: LockNames): Promise<HeldName | null> {
  for (const name of foreign) {
    const [id] = await holders(connection, [name])
    if (id === null || id === undefined) continue
    const isOurs = (await holders(connection, ours)).filter((holder) => holder === id).length > 1
    if (!isOurs) return { name, holder: await describeHolder(connection, name) }
  }
  return null
}

/** The id of the connection that holds each name; null for a name that is free. */
function holders(connection: Connection, names: readonly string[]): Promise<unknown[]> {
  return askRow(connection, `select ${names.map(() => 'is_used_lock(?)').join(', ')}`, names)
}

/** The connection that holds a name, with its user and host where the account may see them. */
async function describeHolder(connection: Connection, name: string): Promise<string> {
  const [id] = await holders(connection, [name])
  if (id === null || id === undefined) return 'a connection that has just released it'
  const sql = 'select user, host from information_schema.processlist where id = ?'
  const [user, host] = await askRow(connection, sql, [Number(id)])
  return user === undefined ? `connection ${id}` : `connection ${id}, user ${user}, host ${host}`
}

type LockValue = string | number | null

/** The columns of the first row. */
export function askRow(connection: Connection, sql: string, values: readonly LockValue[]): Promise<unknown[]> {
  return new Promise((resolve, reject) =>
    connection.execute<RowDataPacket[][]>({ sql, values: [...values], rowsAsArray: true }, (error, rows) =>
      error ? reject(error) : resolve(rows[0] ?? []),
    ),
  )
}
