import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiError, alreadyExists, invalid, loadQuotaExceeded, notFound, unsupported } from './api-error.js'
import { type AvroContainer, readContainer } from './avro-container.js'
import { type AvroField, evolved, fieldsOfAvro, misfit, type SchemaChanges } from './avro-fields.js'
import { type Catalog, checkLayout, type Table } from './catalog.js'
import type { ClickHouse } from './clickhouse.js'
import type { Job } from './jobs.js'
import { at, listAt, recordAt, textAt } from './json.js'
import type { LoadQuota } from './load-quota.js'
import { decode, type LoadedFile } from './table-data.js'

export interface LoadContext {
  readonly catalog: Catalog
  readonly clickHouse: ClickHouse
  readonly quota: LoadQuota
  readonly folder: string
  readonly decode: 'now' | 'later'
  readonly storageUrl: string | undefined
}

const updates: readonly string[] = ['ALLOW_FIELD_ADDITION', 'ALLOW_FIELD_RELAXATION']

interface Loaded extends LoadedFile {
  /** Of the decoded rows; undefined where that waits. */
  readonly name: string | undefined
}

/** What `configuration.load` asks for. @throws ApiError for what BigQuery refuses at once */
export class Load {
  readonly datasetId: string
  readonly tableId: string
  readonly #load: Readonly<Record<string, unknown>>

  constructor(configuration: unknown) {
    this.#load = recordAt(configuration, 'load')
    this.datasetId = textAt(this.#load, 'destinationTable', 'datasetId') ?? ''
    this.tableId = textAt(this.#load, 'destinationTable', 'tableId') ?? ''
    if (!this.datasetId || !this.tableId) throw invalid('Required parameter is missing: destinationTable')
    const format = textAt(this.#load, 'sourceFormat')
    if (format !== 'AVRO') throw unsupported(`sourceFormat ${format ?? 'CSV (the default)'}`)
    this.#checkUpdates()
  }

  get sourceUris(): string[] {
    return listAt(this.#load, 'sourceUris').map(String)
  }

  /**
   * Reads the files and makes the rows ready. No row is to be seen before what it returns is called, then all of them.
   *
   * @param mediaPath of the file that came with the request. It is removed at the end.
   */
  async run(job: Job, mediaPath: string | undefined, context: LoadContext): Promise<() => void> {
    const paths: string[] = mediaPath === undefined ? [] : [mediaPath]
    try {
      this.#checkQuota(context)
      for (const uri of this.sourceUris) paths.push(await fetchObject(uri, context))
      const containers = await Promise.all(paths.map(readContainer))
      this.#check(containers, context.catalog)
      const files = await Promise.all(containers.map((each, n) => this.#prepare(each, paths[n]!, context)))
      return () => this.#commit(job, containers, files, context.catalog)
    } catch (thrown) {
      for (const path of paths) await rm(path, { force: true })
      throw thrown
    }
  }

  get #updates(): SchemaChanges {
    const options = listAt(this.#load, 'schemaUpdateOptions')
    const [addition, relaxation] = updates.map((name) => options.includes(name))
    return { addition: addition!, relaxation: relaxation! }
  }

  #checkUpdates(): void {
    const options = listAt(this.#load, 'schemaUpdateOptions')
    const unknown = options.find((option) => !updates.includes(String(option)))
    if (unknown !== undefined)
      throw invalid(`Invalid value for schemaUpdateOptions: ${String(unknown)} is not a valid value`)
    if (options.length > 0 && textAt(this.#load, 'writeDisposition') !== 'WRITE_APPEND') {
      throw invalid(
        'Schema update options should only be specified with WRITE_APPEND disposition, or with WRITE_TRUNCATE disposition on a table partition.',
      )
    }
  }

  #checkQuota({ quota, catalog }: LoadContext): void {
    if (quota.take(catalog.nameOf(this.datasetId, this.tableId))) return
    throw new ApiError(403, loadQuotaExceeded)
  }

  async #prepare(container: AvroContainer, avroPath: string, context: LoadContext): Promise<Loaded> {
    const { schema, rows } = container
    const file = { avroPath, schema, rows, useLogicalTypes: this.#useLogicalTypes }
    if (context.decode === 'later' || rows === 0) return { ...file, name: undefined }
    return { ...file, name: await readable(() => decode(context.clickHouse, context.folder, file)) }
  }

  get #useLogicalTypes(): boolean {
    return at(this.#load, 'useAvroLogicalTypes') === true
  }

  #commit(job: Job, containers: readonly AvroContainer[], files: readonly Loaded[], catalog: Catalog): void {
    const table = this.#check(containers, catalog) ?? this.#createTable(containers, catalog)
    if (textAt(this.#load, 'writeDisposition') === 'WRITE_TRUNCATE') table.data = catalog.noRows()
    for (const container of containers) {
      table.fields = evolved(this.#fieldsOf(container), table.fields, this.#updates)
    }
    for (const file of files) table.data.add(file, file.name)
    const rows = files.reduce((sum, file) => sum + file.rows, 0)
    const bytes = containers.reduce((sum, container) => sum + container.bytes, 0)
    job.outputRows = rows
    job.statistics = {
      load: {
        inputFiles: String(files.length),
        inputFileBytes: String(bytes),
        outputRows: String(rows),
        outputBytes: String(bytes),
        badRecords: '0',
      },
    }
  }

  /** @returns the table, or undefined where it is to be created. @throws ApiError where the files do not fit it. */
  #check(containers: readonly AvroContainer[], catalog: Catalog): Table | undefined {
    const name = catalog.nameOf(this.datasetId, this.tableId)
    const table = catalog.dataset(this.datasetId).tables.get(this.tableId)
    if (!table && textAt(this.#load, 'createDisposition') === 'CREATE_NEVER') throw notFound(`Table ${name}`)
    if (!table) return undefined
    if (textAt(this.#load, 'writeDisposition') === 'WRITE_EMPTY' && table.data.rows > 0)
      throw alreadyExists(`Table ${name}`)
    for (const container of containers) {
      const fields = this.#fieldsOf(container)
      const why = misfit(fields, evolved(fields, table.fields, this.#updates))
      if (why) throw invalid(`Provided Schema does not match Table ${name}. ${why}`)
    }
    return table
  }

  #createTable(containers: readonly AvroContainer[], catalog: Catalog): Table {
    const [first] = containers
    if (!first) throw invalid('Load configuration must specify at least one source URI')
    const fields = this.#fieldsOf(first).map(({ name, type, mode }) => ({ name, type, mode }))
    const { timePartitioning, clustering } = this.#load
    const settings = { ...(timePartitioning ? { timePartitioning } : {}), ...(clustering ? { clustering } : {}) }
    checkLayout(fields, settings)
    return catalog.addTable(catalog.dataset(this.datasetId), this.tableId, fields, settings)
  }

  #fieldsOf({ schema }: AvroContainer): AvroField[] {
    return fieldsOfAvro(schema, this.#useLogicalTypes)
  }
}

/** What ClickHouse cannot read, BigQuery cannot either. */
async function readable<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw invalid(
      `Error while reading data, error message: The Apache Avro library failed to read data with the following error: ${why}`,
    )
  }
}

async function fetchObject(uri: string, { storageUrl, folder }: LoadContext): Promise<string> {
  const [, bucket, name] = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri) ?? []
  if (bucket === undefined || name === undefined)
    throw invalid(`Source URI must be a Google Cloud Storage location: ${uri}`)
  if (storageUrl === undefined) throw unsupported(`${uri}: it was started without storageUrl`)
  const response = await fetch(`${storageUrl}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`)
  if (!response.ok || !response.body) throw notFound(`URI ${uri}`)
  const path = join(folder, `${randomUUID()}.avro`)
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path))
  return path
}
