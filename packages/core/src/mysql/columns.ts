import { ArchiverError } from '../errors.js'

/** Which of the columns that old tables lack are there. */
export interface SourceColumns {
  readonly rtt: boolean
  readonly attributes: boolean
}

const REQUIRED = ['id', 'monitor_id', 'server_id', 'ts', 'score', 'step', 'offset']

/** Looks at the names a table has. @throws ArchiverError naming what is missing. */
export function sourceColumns(table: string, names: readonly string[]): SourceColumns {
  const present = new Set(names.map((name) => name.toLowerCase()))
  const missing = REQUIRED.filter((name) => !present.has(name))
  if (missing.length > 0) {
    throw new ArchiverError(`table ${table} has no column ${missing.join(', ')}`, {
      code: 'SOURCE_COLUMNS',
      table,
      hint: 'Name a table of the form of log_scores with -t.',
    })
  }
  return { rtt: present.has('rtt'), attributes: present.has('attributes') }
}

/**
 * Nearly every row says just this, which means the same as NULL (see `parseAttributes`): not sending and decoding the
 * text saves a quarter of the time spent on a row. Compared byte by byte, so that no collation finds more texts equal.
 */
const ATTRIBUTES = `nullif(attributes, binary '{"leap":0}')`

/**
 * The select list of the hot read, in the order of `SourceRow`. `offset` is a reserved word in MariaDB.
 * TO_SECONDS is exact for every datetime (UNIX_TIMESTAMP ends in 2038 on MariaDB 10 and depends on the zone) and
 * drains about a tenth faster. Seconds since 1970 fit in a small integer of V8's, those since the year 0 do not.
 */
export function selectList({ rtt, attributes }: SourceColumns, exactAttributes: boolean): string {
  const text = exactAttributes ? 'attributes' : ATTRIBUTES
  const optional = [rtt ? 'rtt' : 'null as rtt', attributes ? text : 'null as attributes']
  return ['id, monitor_id, server_id, to_seconds(ts) - 62167219200, score, step, `offset`', ...optional].join(', ')
}
