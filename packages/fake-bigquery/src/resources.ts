import { createHash } from 'node:crypto'
import type { Catalog, Dataset, Table } from './catalog.js'
import type { TableField } from './contract.js'
import type { Job, Jobs } from './jobs.js'
import type { Page, QueryResult } from './query-job.js'

type Resource = Readonly<Record<string, unknown>>

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/Job */
export function jobResource(job: Job, jobs: Jobs, projectId: string): Resource {
  const { reference, configuration, statistics, createdMs, startedMs, endedMs } = job
  const [errorResult] = job.errors
  return withEtag({
    kind: 'bigquery#job',
    id: jobs.idOf(reference),
    user_email: 'test@example.com',
    configuration: { jobType: 'load' in configuration ? 'LOAD' : 'QUERY', ...configuration },
    jobReference: { projectId, ...reference },
    statistics: {
      creationTime: String(createdMs),
      ...(startedMs === undefined ? {} : { startTime: String(startedMs) }),
      ...(endedMs === undefined ? {} : { endTime: String(endedMs) }),
      ...statistics,
    },
    status: { state: job.state, ...(errorResult ? { errorResult, errors: job.errors } : {}) },
  })
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables */
export function tableResource(table: Table, catalog: Catalog): Resource {
  const { projectId } = catalog
  return withEtag({
    kind: 'bigquery#table',
    id: catalog.nameOf(table.dataset.id, table.id),
    tableReference: { projectId, datasetId: table.dataset.id, tableId: table.id },
    ...table.settings,
    ...(table.fields.length > 0 ? { schema: schemaResource(table.fields) } : {}),
    numRows: String(table.data.rows),
    creationTime: String(table.createdMs),
    lastModifiedTime: String(table.createdMs),
    type: 'view' in table.settings ? 'VIEW' : 'TABLE',
    location: table.dataset.location,
  })
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets */
export function datasetResource({ id, location, expirations }: Dataset, projectId: string): Resource {
  const datasetReference = { projectId, datasetId: id }
  const kind = 'bigquery#dataset'
  return withEtag({ kind, id: `${projectId}:${id}`, datasetReference, location, type: 'DEFAULT', ...expirations })
}

/** What jobs.query and jobs.getQueryResults have in common. */
export function resultResource(result: QueryResult, page: Page, useInt64Timestamp: boolean): Resource {
  const rows = page.rows.map((row) => ({
    f: row.map((value, n) => ({ v: resultValue(value, result.fields[n]!, useInt64Timestamp) })),
  }))
  return {
    jobComplete: true,
    schema: schemaResource(result.fields),
    totalRows: String(result.rows),
    totalBytesProcessed: '0',
    cacheHit: false,
    ...(rows.length > 0 ? { rows } : {}),
    ...(page.next === undefined ? {} : { pageToken: String(page.next) }),
  }
}

function schemaResource(fields: readonly TableField[]): Resource {
  return { fields: fields.map((field) => ({ ...field, mode: field.mode ?? 'NULLABLE' })) }
}

const specialFloats: Readonly<Record<string, string>> = { inf: 'Infinity', '-inf': '-Infinity', nan: 'NaN' }

/** A TIMESTAMP is seconds with a fraction, unless `formatOptions.useInt64Timestamp` asks for microseconds. */
function resultValue(value: string | null, { type }: TableField, useInt64Timestamp: boolean): string | null {
  if (value === null) return null
  if (type === 'FLOAT') return specialFloats[value] ?? value
  return type === 'TIMESTAMP' && !useInt64Timestamp ? (Number(value) / 1e6).toFixed(6) : value
}

function withEtag(resource: Resource): Resource {
  const etag = createHash('sha1').update(JSON.stringify(resource)).digest('base64')
  return { ...resource, etag }
}
