import { type RawBuilder, sql } from 'kysely'
import type { CleanedTable } from './table-statements.js'

/** A foreign key of another table whose rows keep rows of the source table from being deleted. */
export interface Reference {
  /** The other table; with its database where that is another one. */
  readonly table: string
  readonly constraint: string
  /** Whether a row of the other table points to the row of the source table. */
  readonly isHeld: RawBuilder<boolean>
}

/**
 * The foreign keys that refuse a deletion from the source table, in any database. The status table is left out: its marks are
 * known. A key with ON DELETE CASCADE or SET NULL refuses nothing. A table on which the account has no right at all is not
 * seen.
 */
export async function findReferences({ db, name, names, try: attempt }: CleanedTable): Promise<Reference[]> {
  const columns = await attempt('looking for tables that refer to it', async () => {
    const found = await sql<KeyColumn>`
      select table_schema as ${sql.id('schema')}, table_name as ${sql.id('table')}, constraint_name as ${sql.id('constraint')},
        column_name as ${sql.id('column')}, referenced_column_name as referenced, database() as here
      from information_schema.key_column_usage
      where referenced_table_schema = database() and referenced_table_name = ${name}
        and not (table_schema = database() and table_name in (${name}, ${names.status}))
      order by table_schema, table_name, constraint_name, ordinal_position`.execute(db)
    return found.rows
  })
  const keys = Map.groupBy(columns, (column) => `${column.schema}\n${column.table}\n${column.constraint}`)
  const references: Reference[] = []
  for (const key of keys.values()) if (await refuses({ db, attempt }, key[0]!)) references.push(toReference(name, key))
  return references
}

interface KeyColumn {
  readonly schema: string
  readonly table: string
  readonly constraint: string
  readonly column: string
  readonly referenced: string
  readonly here: string
}

interface Asking extends Pick<CleanedTable, 'db'> {
  readonly attempt: CleanedTable['try']
}

async function refuses({ db, attempt }: Asking, { schema, table, constraint }: KeyColumn): Promise<boolean> {
  const { rows } = await attempt('looking at a foreign key', () =>
    sql<{ rule: string }>`
      select delete_rule as rule from information_schema.referential_constraints
      where constraint_schema = ${schema} and table_name = ${table} and constraint_name = ${constraint}`.execute(db),
  )
  // MariaDB shows the rule to few accounts. A rule that is not seen counts as one that refuses.
  return rows.every(({ rule }) => rule === 'RESTRICT' || rule === 'NO ACTION')
}

function toReference(source: string, columns: readonly KeyColumn[]): Reference {
  const { schema, table, constraint, here } = columns[0]!
  const pairs = columns.map(
    ({ column, referenced }) => sql`${sql.id('referrer', column)} = ${sql.id(source, referenced)}`,
  )
  const isHeld = sql<boolean>`exists (
    select 1 from ${sql.id(schema, table)} as referrer where ${sql.join(pairs, sql` and `)})`
  return { table: schema === here ? table : `${schema}.${table}`, constraint, isHeld }
}

/** Whether any of these keys holds the row; false for no keys. */
export function isHeldByAny(references: readonly Reference[]): RawBuilder<boolean> {
  if (references.length === 0) return sql<boolean>`false`
  const each = references.map(({ isHeld }) => isHeld)
  return sql<boolean>`(${sql.join(each, sql` or `)})`
}

/** The triggers that run when a row is deleted, as far as the account may see them. */
export async function deleteTriggers({ db, name, try: attempt }: CleanedTable): Promise<string[]> {
  const { rows } = await attempt('looking for triggers', () =>
    sql<{ name: string }>`
      select trigger_name as name from information_schema.triggers
      where event_object_schema = database() and event_object_table = ${name} and event_manipulation = 'DELETE'
      order by action_timing desc, trigger_name`.execute(db),
  )
  return rows.map((row) => row.name)
}
