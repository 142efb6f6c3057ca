import { closeSync, fstatSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Texts } from './layers.js'
import { lockNameProblem } from './lock-name.js'
import type { Problem } from './problem.js'
import type { ReadableValues } from './variables.js'

/** What is wrong between variables, each being right by itself, and what the file system says. */
export function crossCheck(values: ReadableValues, texts: Texts['texts'], cwd: string): readonly Problem[] {
  const problems = [
    noArchive(texts),
    defaultTable(values),
    batchSizes('batch_bq_min_size', 'batch_bq_max_size', values),
    batchSizes('batch_ch_min_size', 'batch_ch_max_size', values),
    batchSizes('batch_avro_min_size', 'batch_avro_max_size', values),
    viaBucket(values),
    lockTooLong(values),
    caFile(values, cwd),
  ]
  return problems.filter((problem) => problem !== undefined)
}

function noArchive(texts: Texts['texts']): Problem | undefined {
  const archives = ['ch_dsn', 'bq_dataset', 'gc_bucket', 'avro_path'] as const
  if (archives.some((name) => texts.has(name))) return undefined
  return {
    variable: archives.join(', '),
    message: 'at least one archive is required',
    hint: 'for local files: avro_path=/path',
  }
}

function defaultTable({ app_default_table: table, app_valid_tables: valid }: ReadableValues): Problem | undefined {
  if (table === undefined || valid === undefined || valid.includes(table)) return undefined
  return { variable: 'app_default_table', message: `${table} is not one of app_valid_tables (${valid.join(', ')})` }
}

type BatchSize = `batch_${'bq' | 'ch' | 'avro'}_${'min' | 'max'}_size`

function batchSizes(least: BatchSize, most: BatchSize, values: ReadableValues): Problem | undefined {
  const [min, max] = [values[least], values[most]]
  if (min === undefined || max === undefined || min <= max) return undefined
  return { variable: least, message: `${min} is more than ${most}, ${max}` }
}

function viaBucket({ bq_via_gcs: via, gc_bucket: bucket }: ReadableValues): Problem | undefined {
  if (via !== true || bucket !== undefined) return undefined
  return { variable: 'bq_via_gcs', message: 'needs gc_bucket', hint: 'the bucket through which files go to BigQuery' }
}

function lockTooLong(values: ReadableValues): Problem | undefined {
  const { db_lock_prefix: prefix, db_database: database, app_default_table: table } = values
  if (prefix === undefined || database === undefined || table === undefined) return undefined
  return lockNameProblem({ prefix, database, table, defaultTable: table })
}

function caFile({ db_tls_ca: file }: ReadableValues, cwd: string): Problem | undefined {
  if (file === undefined) return undefined
  const path = resolve(cwd, file)
  const why = whyUnreadable(path)
  if (why === undefined) return undefined
  return {
    variable: 'db_tls_ca',
    message: `${path} cannot be read (${why})`,
    hint: 'it is a PEM file with the CA certificates',
  }
}

function whyUnreadable(path: string): string | undefined {
  try {
    const descriptor = openSync(path, 'r')
    const isFile = fstatSync(descriptor).isFile()
    closeSync(descriptor)
    return isFile ? undefined : 'not a file'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code // fs throws nothing else
  }
}

/** What is allowed and yet hardly meant. */
export function findOddities({ db_timezone, db_tls, db_tls_ca }: ReadableValues): readonly string[] {
  const warnings = []
  if (db_timezone !== undefined && db_timezone !== 'UTC')
    warnings.push(`db_timezone=${db_timezone} has no effect: ts is in UTC, and so is the session`)
  if (db_tls_ca !== undefined && db_tls !== undefined && db_tls !== 'true')
    warnings.push(`db_tls_ca has no effect while db_tls is ${db_tls}: only db_tls=true verifies the server`)
  return warnings
}
