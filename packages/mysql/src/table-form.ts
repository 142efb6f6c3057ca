import type { ControlTables } from './tables.js'

/** A row of SHOW COLUMNS. */
export interface ColumnRow {
  readonly Field: string
  readonly Type: string
  readonly Null: 'YES' | 'NO'
  readonly Default: string | null
  readonly Extra: string
}

/** A row of SHOW INDEX. */
export interface IndexRow {
  readonly Key_name: string
  readonly Non_unique: number
  readonly Seq_in_index: number
  readonly Column_name: string | null
}

interface TableForm<Columns extends string> {
  /** What the column's description begins with: its type, then `null` or `not null`. */
  readonly columns: { readonly [name in Columns]: string }
  /** The columns that every insert names; all others need a default. */
  readonly given: readonly Columns[]
  readonly unique: readonly string[]
}

/** What a table that is there already must have for the program to work with it. */
export const TABLE_FORMS: { readonly [table in keyof ControlTables]: TableForm<keyof ControlTables[table] & string> } =
  {
    status: {
      columns: { id: '', archiver: 'varchar', log_score_id: 'bigint unsigned null', modified_on: 'timestamp' },
      given: ['archiver'],
      unique: ['archiver'],
    },
    batch: {
      columns: {
        id: 'bigint unsigned',
        archiver: 'varchar',
        state: "enum('planned','done','superseded','foreign','moved'",
        after_id: 'bigint unsigned',
        first_id: 'bigint unsigned',
        up_to_id: 'bigint unsigned',
        last_id: 'bigint unsigned null',
        row_count: 'bigint unsigned null',
        min_ts: 'bigint null',
        max_ts: 'bigint null',
        id_hash: 'binary(32) null',
        bytes: 'bigint unsigned null',
        identity: 'varchar(1024) null',
        host: 'varchar',
        done_on: 'timestamp(3) null',
      },
      given: ['archiver', 'state', 'after_id', 'first_id', 'up_to_id', 'host'],
      unique: ['archiver', 'open'],
    },
    skip: {
      columns: {
        id: '',
        archiver: 'varchar',
        row_id: 'bigint unsigned',
        reason: '',
        row_json: '',
        skipped_by: 'varchar',
      },
      given: ['archiver', 'row_id', 'reason', 'row_json', 'skipped_by'],
      unique: ['archiver', 'row_id'],
    },
  }

/** What keeps the program from working with this table, a clause for each thing; empty where nothing does. */
export function misfits(
  { columns, given, unique }: TableForm<string>,
  found: readonly ColumnRow[],
  indexes: readonly IndexRow[],
): string[] {
  const byName = new Map(found.map((row) => [row.Field.toLowerCase(), row]))
  return [
    ...Object.entries(columns).flatMap(([name, needed]) => misfit(name, needed, byName.get(name))),
    ...found
      .filter((row) => !given.includes(row.Field.toLowerCase()) && !hasDefault(row))
      .map(({ Field: name }) => `the column ${name} has no default`),
    ...(uniqueKeys(indexes).includes(unique.join()) ? [] : [`there is no unique key (${unique.join(', ')})`]),
  ]
}

function misfit(name: string, needed: string, row: ColumnRow | undefined): string[] {
  if (row === undefined) return [`there is no column ${name}`]
  const is = describe(row)
  return is.startsWith(needed) ? [] : [`the column ${name} is ${is}, ${needed} is needed`]
}

/** Older servers say how wide they would print a whole number. */
function describe({ Type: type, Null: nullable }: ColumnRow): string {
  return `${type.toLowerCase().replace(/^(\w*int)\(\d+\)/, '$1')} ${nullable === 'YES' ? 'null' : 'not null'}`
}

function hasDefault({ Null: nullable, Default: value, Extra: extra }: ColumnRow): boolean {
  return nullable === 'YES' || value !== null || /auto_increment|generated/i.test(extra)
}

/** The columns of each unique key, in its order, with commas between. */
function uniqueKeys(indexes: readonly IndexRow[]): string[] {
  const parts = indexes
    .filter(({ Non_unique }) => Number(Non_unique) === 0)
    .sort((a, b) => a.Seq_in_index - b.Seq_in_index)
  const keys = Map.groupBy(parts, ({ Key_name }) => Key_name)
  return [...keys.values()].map((columns) => columns.map(({ Column_name }) => Column_name).join())
}

/** Of information_schema.tables. */
export interface SourceForm {
  readonly engine: string | null
  readonly kind: string
  readonly options: string | null
}

/** Why no foreign key of type bigint unsigned can refer to the ids of a table; null where one can. */
export function whyUnreferable(
  { engine, kind, options }: SourceForm,
  columns: readonly ColumnRow[],
  indexes: readonly IndexRow[],
): string | null {
  if (/view/i.test(kind)) return 'is a view'
  if (/partitioned/i.test(options ?? '')) return 'is partitioned'
  if (engine?.toLowerCase() !== 'innodb') return `has the engine ${engine}`
  const id = columns.find(({ Field }) => Field.toLowerCase() === 'id')
  const type = id === undefined ? '' : describe(id).replace(/ (not )?null$/, '')
  if (type !== 'bigint unsigned') return `has ids of type ${type}`
  const isFirst = ({ Seq_in_index, Column_name }: IndexRow) =>
    Number(Seq_in_index) === 1 && Column_name?.toLowerCase() === 'id'
  return indexes.some(isFirst) ? null : 'has no key that begins with id'
}
