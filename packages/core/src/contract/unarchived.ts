import { harmlessText } from '../values/harmless.js'

/** What is read of `attributes`, and the keys that mean nothing to the archives: docs/archives/what-is-kept.md. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...['leap', 'error', 'warning'],
  ...['stratum', 'no_response', 'from_ls_id', 'from_ss_id'],
])

/** Names of one text that are looked at, and names that are counted in all. A text may have any number of keys. */
const MAX_NAMES_OF_TEXT = 8
const MAX_NAMES = 32
/** What further names count as. */
export const OTHER_NAMES = '(others)'
const MAX_CHARACTERS = 64

/** The keys of `attributes` that no archive knows; undefined for none, which is the ordinary case. */
export function unknownKeys(attributes: object): readonly string[] | undefined {
  let names: string[] | undefined
  for (const key in attributes) {
    if (KNOWN_KEYS.has(key)) continue
    names ??= []
    if (names.length === MAX_NAMES_OF_TEXT) return [...names.slice(1), OTHER_NAMES]
    names.push(shown(key))
  }
  return names
}

function shown(key: string): string {
  return harmlessText(key.slice(0, MAX_CHARACTERS)) || '(empty)'
}

/** Rows by name, of a bounded number of names: a writer may use another key in every row. */
export class NameCounts {
  private readonly counts = new Map<string, number>()

  add(name: string, rows: number): void {
    const known = this.counts.has(name) || this.counts.size < MAX_NAMES
    const key = known ? name : OTHER_NAMES
    this.counts.set(key, (this.counts.get(key) ?? 0) + rows)
  }

  addAll(counts: Readonly<Record<string, number>>): void {
    for (const [name, rows] of Object.entries(counts)) this.add(name, rows)
  }

  get size(): number {
    return this.counts.size
  }

  toRecord(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }
}

/** Columns and keys of `attributes` that archived rows had and that no archive keeps, with the number of those rows. */
export interface Unarchived {
  readonly columns: Readonly<Record<string, number>>
  readonly keys: Readonly<Record<string, number>>
}

/** Columns and keys of `attributes` that may be lost: all, or those that are named. */
export type Acknowledged = 'ok' | readonly string[]

/** Something about the source table that an operator should know; nothing stops for it. */
export interface TableWarning {
  /** Stable, upper case with underscores; each has a page in the runbook. */
  readonly code: 'ROWS_UNARCHIVED' | 'ROW_ID_LOW' | 'STATUS_STAMP_AHEAD'
  /** One line. */
  readonly message: string
  readonly hint: string
  /** Rows that it concerns; null where that is not known. */
  readonly rows: number | null
}

/** A column of the table that no archive keeps. */
export function unknownColumnWarning(table: string, column: string): TableWarning {
  const name = shown(column)
  return unarchived(`no archive keeps the column ${name} of ${table}`, name, null)
}

/** Keys of `attributes` that rows had which were archived. */
export function unknownKeyWarnings(keys: Readonly<Record<string, number>>): TableWarning[] {
  return Object.entries(keys).map(([name, rows]) =>
    unarchived(`no archive keeps the key ${name} of attributes: ${rows} rows were archived without it`, name, rows),
  )
}

function unarchived(message: string, name: string, rows: number | null): TableWarning {
  const hint = `Cleanup waits before it deletes such rows. If the values may be lost, set unarchived=${name}.${rows === null ? '' : ' An archive that keeps the text of attributes keeps all keys.'}`
  return { code: 'ROWS_UNARCHIVED', message, hint, rows }
}

/** What of it nobody has acknowledged; null for nothing. */
export function unacknowledged({ columns, keys }: Unarchived, acknowledged: Acknowledged = []): Unarchived | null {
  if (acknowledged === 'ok') return null
  const left = (counts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(counts).filter(([name]) => !acknowledged.includes(name)))
  const rest = { columns: left(columns), keys: left(keys) }
  return Object.keys({ ...rest.columns, ...rest.keys }).length === 0 ? null : rest
}

/** Rows that no mark ever passes, since a mark of 0 means that nothing is stored. */
export function lowIdWarning(table: string, rows: number, id: bigint): TableWarning {
  return {
    code: 'ROW_ID_LOW',
    message: `${rows === 1 ? `row ${id}` : `${rows} rows with ids from ${id} to 0`} of ${table} can never be archived: ids begin at 1`,
    hint: 'Nothing is deleted of them. Give them ids above 0, higher than every mark, or delete them.',
    rows,
  }
}

/** A stamp of the status table that lies after the server's time: it says nothing of when the last batch was. */
export function stampAheadWarning(archiver: string, aheadMs: number): TableWarning {
  return {
    code: 'STATUS_STAMP_AHEAD',
    message: `${archiver}: modified_on in the status table is ${Math.round(aheadMs / 1000)} s ahead of the clock of the database server: the archiver counts as due`,
    hint: 'The next batch writes it anew. If it comes back, correct the clock of the server, or the program that writes there.',
    rows: null,
  }
}
