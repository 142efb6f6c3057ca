import type { LogScoreChunk } from '@archiver/core'
import type { Connection } from 'mysql2'
import { quoteName } from '../tables.js'
import { hasNoMonitor } from './row-text.js'
import { askRows } from './statements.js'

/** A foreign key of the table: rows need a row of `table` whose `key` is theirs in `column`. */
export interface Parent {
  readonly column: 'server_id' | 'monitor_id'
  /** With its database, quoted. */
  readonly table: string
  readonly key: string
}

/** The distinct ids of a batch, for each parent. */
export type ParentIds = ReadonlyMap<Parent, ReadonlySet<number>>

/** Ids that are named of each parent. */
const MAX_NAMED = 10

export async function findParents(connection: Connection, table: string): Promise<readonly Parent[]> {
  const rows = await askRows(
    connection,
    `select column_name, referenced_table_schema, referenced_table_name, referenced_column_name
    from information_schema.key_column_usage where table_schema = database() and table_name = ?
      and referenced_table_name is not null and column_name in ('server_id', 'monitor_id') order by column_name desc`,
    [table],
  )
  return rows.map(([column, schema, parent, key]) => ({
    // The condition of the statement.
    column: String(column) as Parent['column'],
    table: `${quoteName(String(schema))}.${quoteName(String(parent))}`,
    key: quoteName(String(key)),
  }))
}

/** @param wanted - 1 for each row that counts. */
export function parentIdsOf(chunk: LogScoreChunk, wanted: Uint8Array, parents: readonly Parent[]): ParentIds {
  return new Map(parents.map((parent) => [parent, idsIn(chunk, wanted, parent)]))
}

function idsIn(chunk: LogScoreChunk, wanted: Uint8Array, { column }: Parent): Set<number> {
  const { rows, serverId, monitorId } = chunk
  const ids = new Set<number>()
  for (let i = 0; i < rows; i++) {
    if (wanted[i] !== 1) continue
    if (column === 'server_id') ids.add(serverId[i]!)
    else if (!hasNoMonitor(chunk, i)) ids.add(monitorId[i]!)
  }
  return ids
}

/** What of the parents' rows is not there, a sentence for each parent. */
export async function missingParents(
  connection: Connection,
  parents: readonly Parent[],
  ids: ParentIds,
): Promise<readonly string[]> {
  const missing: string[] = []
  for (const parent of parents) {
    const wanted = [...(ids.get(parent) ?? [])]
    if (wanted.length === 0) continue
    const { table, key, column } = parent
    const rows = await askRows(connection, `select ${key} from ${table} where ${key} in (?)`, [wanted])
    const there = new Set(rows.map(([id]) => Number(id)))
    const gone = wanted.filter((id) => !there.has(id)).sort((a, b) => a - b)
    if (gone.length > 0) missing.push(`${column} ${listed(gone)} ${gone.length === 1 ? 'is' : 'are'} not in ${table}`)
  }
  return missing
}

function listed(ids: readonly number[]): string {
  const more = ids.length - MAX_NAMED
  return `${ids.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
