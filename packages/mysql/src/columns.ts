import { ArchiverError } from '@archiver/core'

/** A column of the source table, as SHOW COLUMNS describes it. */
export interface DescribedColumn {
  readonly name: string
  /** `int(10) unsigned`, `datetime(6)`, `longtext`. */
  readonly type: string
  /** `VIRTUAL GENERATED`, `auto_increment`. */
  readonly extra: string
}

/** What of the table's form matters to whoever reads it. */
export interface SourceColumns {
  /** Whether there is a column `rtt`: old tables lack it. */
  readonly rtt: boolean
  /** Absent in old tables. `json`: MySQL's own type, which no text can be compared with byte by byte. */
  readonly attributes: 'text' | 'json' | false
  /** Whether `ts` may have a fraction of a second. */
  readonly fractions: boolean
  /** Columns that no archive keeps, in the order of the table. Those that the server computes from others are left out. */
  readonly unknown: readonly string[]
}

/** Types whose values are numbers. What does not fit in the archive's own type is refused row by row. */
const NUMBER = /^(tinyint|smallint|mediumint|int|bigint|float|double|decimal)\b/
const TEXT =
  /^(char|varchar|tinytext|text|mediumtext|longtext|json|binary|varbinary|tinyblob|blob|mediumblob|longblob)\b/

/** The type that each column may have, and what it is called. */
const TYPES: Readonly<Record<string, readonly [type: RegExp, needed: string]>> = {
  id: [/^(tinyint|smallint|mediumint|int|bigint)\b/, 'an integer'],
  monitor_id: [NUMBER, 'a number'],
  server_id: [NUMBER, 'a number'],
  ts: [/^(datetime|timestamp|date)\b/, 'a datetime'],
  score: [NUMBER, 'a number'],
  step: [NUMBER, 'a number'],
  offset: [NUMBER, 'a number'],
  rtt: [NUMBER, 'a number'],
  attributes: [TEXT, 'a text'],
}

const OPTIONAL = new Set(['rtt', 'attributes'])

/** Checks the names and types of a table. @throws ArchiverError (SOURCE_COLUMNS) that names all that is missing or of a wrong type. */
export function sourceColumns(table: string, columns: readonly DescribedColumn[]): SourceColumns {
  const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type.toLowerCase()]))
  const missing = Object.keys(TYPES).filter((name) => !types.has(name) && !OPTIONAL.has(name))
  if (missing.length > 0) throw misfit(table, `has no column ${missing.join(', ')}`)
  const wrong = Object.entries(TYPES).flatMap(([name, [type, needed]]) => {
    const found = types.get(name)
    return found === undefined || type.test(found) ? [] : [`${name} is ${found}, and has to be ${needed}`]
  })
  if (wrong.length > 0) throw misfit(table, `has columns of types that cannot be archived: ${wrong.join('; ')}`)
  const attributes = types.get('attributes')
  return {
    rtt: types.has('rtt'),
    attributes: attributes === undefined ? false : attributes === 'json' ? 'json' : 'text',
    fractions: /^(datetime|timestamp)\([1-6]\)/.test(types.get('ts') ?? ''),
    unknown: unknownColumns(columns),
  }
}

/** The columns that no archive keeps, without those that the server computes from others. */
export function unknownColumns(columns: readonly DescribedColumn[]): readonly string[] {
  return columns.filter(({ name, extra }) => !isKnown(name) && !/generated/i.test(extra)).map(({ name }) => name)
}

function isKnown(name: string): boolean {
  return Object.hasOwn(TYPES, name.toLowerCase())
}

function misfit(table: string, why: string): ArchiverError {
  return new ArchiverError(`table ${table} ${why}`, {
    code: 'SOURCE_COLUMNS',
    table,
    hint: 'Name a table of the form of log_scores with -t.',
  })
}

/**
 * The text of many rows, which means the same as NULL (see `parseAttributes`): not sending and decoding it saves a quarter
 * of the time spent on a row. Compared byte by byte, so that no collation finds more texts equal.
 */
const ATTRIBUTES = `nullif(attributes, binary '{"leap":0}')`

/**
 * TO_SECONDS is exact for every datetime (UNIX_TIMESTAMP ends in 2038 on MariaDB 10 and depends on the zone) and drains
 * about a tenth faster. Seconds since 1970 fit in a small integer of V8's, those since the year 0 do not.
 */
const SECONDS = 'to_seconds(ts) - 62167219200'

/** Stands for a time with a fraction of a second, which no archive keeps: no datetime has so many seconds. */
export const FRACTION = 1_000_000_000_000_000

/** The select list of the hot read, in the order of `SourceRow`. `offset` is a reserved word in MariaDB. */
export function selectList({ rtt, attributes, fractions }: SourceColumns, exactAttributes: boolean): string {
  const seconds = fractions ? `if(microsecond(ts) > 0, ${FRACTION}, ${SECONDS})` : SECONDS
  const text = exactAttributes || attributes === 'json' ? 'attributes' : ATTRIBUTES
  const optional = [rtt ? 'rtt' : 'null as rtt', attributes === false ? 'null as attributes' : text]
  return [`id, monitor_id, server_id, ${seconds}, score, step, \`offset\``, ...optional].join(', ')
}
