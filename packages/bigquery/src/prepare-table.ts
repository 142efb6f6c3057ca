import type { SchemaVersion } from '@archiver/avro'
import { ArchiverError, DAY_MS } from '@archiver/core'
import type { TableMetadata } from '@google-cloud/bigquery'
import type { Link } from './link.js'
import { createTableSql } from './sql.js'
import {
  columnsOf,
  description,
  type Field,
  keepsExactRows,
  misfits,
  type TableForm,
  type TsType,
  tsTypeOf,
} from './table.js'

/** What a table is wanted for. */
export interface TableWishes {
  readonly schema: SchemaVersion
  /** Whether BigQuery may drop rows with time. */
  readonly acceptExpiry: boolean
}

/**
 * Creates the table where it is missing; otherwise looks whether it takes the rows as they are.
 *
 * @throws ArchiverError (`BQ_TABLE`) naming each column that does not fit.
 */
export async function prepareTable(
  link: Link,
  table: string,
  { schema, acceptExpiry }: TableWishes,
  signal: AbortSignal,
): Promise<TsType> {
  const there = await findTable(link, table, signal)
  if (there === undefined && !acceptExpiry) await requireLastingDefaults(link, table, signal)
  const found = there ?? (await createTable(link, table, schema, signal))
  requireFit(link, table, found, schema)
  if (!acceptExpiry) requireLasting(link, table, found)
  return tsTypeOf(fieldsOf(found))
}

/**
 * What creates the table where it is missing: the request of {@link prepareTable}, as SQL. One that is there is looked at.
 *
 * @throws as {@link prepareTable}
 */
export async function missingStatements(
  link: Link,
  table: string,
  { schema, acceptExpiry }: TableWishes,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await findTable(link, table, signal)
  if (found === undefined && !acceptExpiry) await requireLastingDefaults(link, table, signal)
  if (found === undefined) return [createTableSql({ projectId: link.projectId, dataset: link.dataset, table }, schema)]
  requireFit(link, table, found, schema)
  if (!acceptExpiry) requireLasting(link, table, found)
  return []
}

/** Undefined where there is no table. */
export async function findForm(link: Link, table: string, signal: AbortSignal): Promise<TableForm | undefined> {
  const found = await findTable(link, table, signal)
  if (found === undefined) return undefined
  const fields = fieldsOf(found)
  return { tsType: tsTypeOf(fields), exact: keepsExactRows(fields) }
}

/** What tables.insert is sent. */
function newTable(schema: SchemaVersion): TableMetadata {
  return {
    description,
    schema: { fields: [...columnsOf(schema)] },
    timePartitioning: { type: 'DAY', field: 'ts' },
    clustering: { fields: ['server_id'] },
  }
}

function requireFit(link: Link, table: string, found: TableMetadata, schema: SchemaVersion): void {
  const { type = 'TABLE' } = found
  if (type !== 'TABLE') throw unfit(link, table, [`it is a ${type}, a table is needed`])
  const wrong = [...misfits(fieldsOf(found), schema), ...filterMisfits(found)]
  if (wrong.length > 0) throw unfit(link, table, wrong)
}

/** @throws ArchiverError `BQ_TABLE_EXPIRES` where BigQuery drops the table, or its partitions, with time. */
function requireLasting(link: Link, table: string, { expirationTime, timePartitioning }: TableMetadata): void {
  const partitionMs = Number(timePartitioning?.expirationMs ?? 0)
  if (partitionMs > 0) throw expires(link, table, `its partitions expire after ${days(partitionMs)}`)
  const tableMs = Number(expirationTime ?? 0)
  if (tableMs > 0) throw expires(link, table, `it expires at ${new Date(tableMs).toISOString()}`)
}

/** The same for a table that is still to be made: it would take over what its data set says. */
async function requireLastingDefaults(link: Link, table: string, signal: AbortSignal): Promise<void> {
  const doing = `cannot look at the data set ${link.projectId}.${link.dataset}`
  const found = await link.resource(doing, signal, (client) => client.dataset(link.dataset).getMetadata())
  // The client has no type for the answer, which is the data set resource.
  const { defaultPartitionExpirationMs, defaultTableExpirationMs } = found as Record<string, string | undefined>
  const ms = Number(defaultPartitionExpirationMs ?? defaultTableExpirationMs ?? 0)
  if (ms > 0) throw expires(link, table, `its data set gives new tables an expiration of ${days(ms)}`)
}

function expires(link: Link, table: string, what: string): ArchiverError {
  return new ArchiverError(`the BigQuery table ${nameOf(link, table)} drops rows with time: ${what}`, {
    code: 'BQ_TABLE_EXPIRES',
    archiver: 'bigquery',
    table,
    hint: 'Remove the expiration (of a data set: before the table is made); or, where it is wanted, set archive_expires=ok.',
  })
}

function days(ms: number): string {
  return `${Math.round(ms / DAY_MS)} days`
}

/** Every query here has a condition on `ts` and on `id`, and on nothing else always. */
function filterMisfits({ requirePartitionFilter, timePartitioning, rangePartitioning }: TableMetadata): string[] {
  if (requirePartitionFilter !== true && timePartitioning?.requirePartitionFilter !== true) return []
  const column = timePartitioning?.field ?? rangePartitioning?.field ?? 'the time of loading'
  if (['ts', 'id'].includes(column.toLowerCase())) return []
  return [`it requires a filter on its partitions by ${column}, and the archiver filters by ts and id`]
}

async function findTable(link: Link, table: string, signal: AbortSignal): Promise<TableMetadata | undefined> {
  const found = await link.find(`cannot look at the table ${nameOf(link, table)}`, signal, (client) =>
    client.dataset(link.dataset).table(table).getMetadata(),
  )
  // The client has no type for the answer, which is the table resource.
  return found as TableMetadata | undefined
}

async function createTable(
  link: Link,
  table: string,
  schema: SchemaVersion,
  signal: AbortSignal,
): Promise<TableMetadata> {
  const [, made] = await link.call(`cannot create the table ${nameOf(link, table)}`, signal, (client) =>
    client.dataset(link.dataset).createTable(table, newTable(schema)),
  )
  // As above.
  return made as TableMetadata
}

function fieldsOf({ schema }: TableMetadata): readonly Field[] {
  return typeof schema === 'object' && 'fields' in schema ? (schema.fields ?? []) : []
}

function unfit(link: Link, table: string, wrong: readonly string[]): ArchiverError {
  return new ArchiverError(`the BigQuery table ${nameOf(link, table)} does not fit: ${wrong.join('; ')}`, {
    code: 'BQ_TABLE',
    archiver: 'bigquery',
    table,
    hint: 'Alter or rename the table, or name another data set in bq_dataset; docs/archives/bigquery.md has the schema.',
  })
}

function nameOf({ projectId, dataset }: Link, table: string): string {
  return `${projectId}.${dataset}.${table}`
}
