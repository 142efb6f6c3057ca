import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { unsupported } from './api-error.js'
import { type Catalog, requiredFilter } from './catalog.js'
import { type ClickHouse, literal } from './clickhouse.js'
import type { TableField } from './contract.js'
import type { Job } from './jobs.js'
import { at, listAt, recordAt, textAt } from './json.js'
import { invalidQuery } from './sql/query-error.js'
import { type Select, translate } from './sql/select.js'

/** The rows of a finished query, in a file: one JSON array of texts a line. */
export interface QueryResult {
  readonly path: string
  readonly fields: readonly TableField[]
  readonly rows: number
}

export interface QueryContext {
  readonly catalog: Catalog
  readonly clickHouse: ClickHouse
  readonly folder: string
}

/** Part of a result; `next` is where the following part begins in the file, undefined at the end. */
export interface Page {
  readonly rows: readonly (readonly (string | null)[])[]
  readonly next: number | undefined
}

/** BigQuery's limit for one answer. */
const pageBytes = 10_000_000

/** The query of `configuration.query`, and what has come of it. */
export class Query {
  result: QueryResult | undefined
  readonly #query: Readonly<Record<string, unknown>>

  constructor(configuration: unknown) {
    this.#query = recordAt(configuration, 'query')
    if (at(this.#query, 'useLegacySql') !== false) throw unsupported('legacy SQL: set useLegacySql to false')
  }

  /** The dataset it reads decides where it runs; undefined where the query itself is wrong, which the job will say. */
  datasetId(catalog: Catalog): string | undefined {
    try {
      return this.#translate(catalog).dataset
    } catch {
      return undefined
    }
  }

  async run(job: Job, { catalog, clickHouse, folder }: QueryContext): Promise<() => void> {
    const select = this.#translate(catalog)
    catalog.dataset(select.dataset, job.reference.location)
    const table = catalog.table(select.dataset, select.table)
    const source = await table.data.source(clickHouse, table.fields)
    const path = join(folder, `${randomUUID()}.rows`)
    await runInto(path, select, source, clickHouse)
    const rows = await countLines(path)
    return () => {
      this.result = { path, fields: select.fields, rows }
      job.statistics = { query: { totalBytesProcessed: '0', cacheHit: false, statementType: 'SELECT' } }
    }
  }

  #translate(catalog: Catalog): Select {
    return translate(textAt(this.#query, 'query') ?? '', listAt(this.#query, 'queryParameters'), {
      projectId: catalog.projectId,
      defaultDataset: textAt(this.#query, 'defaultDataset', 'datasetId'),
      fieldsOf: (dataset, table) => catalog.table(dataset, table).fields,
      requiredFilter: (dataset, table) => requiredFilter(catalog.table(dataset, table).settings),
    })
  }
}

async function runInto(path: string, select: Select, source: string, clickHouse: ClickHouse): Promise<void> {
  const structure = select.fields.map((_, n) => `c${n} Nullable(String)`).join(', ')
  const into = `file(${literal(path)}, 'JSONCompactEachRow', ${literal(structure)})`
  try {
    await clickHouse.run(`INSERT INTO FUNCTION ${into} ${select.sql(source)}`)
    await appendFile(path, '') // without rows ClickHouse makes no file
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw invalidQuery(/CANNOT_CONVERT_TYPE|accurateCast/.test(why) ? `int64 overflow (${why})` : why)
  }
}

async function countLines(path: string): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(path)) {
    for (const byte of chunk as Buffer) if (byte === 10) lines++ // no encoding is set: chunks are buffers
  }
  return lines
}

/** At most `maxRows` rows from the byte `start` of a result on. */
export async function pageOf(result: QueryResult, start: number, maxRows: number): Promise<Page> {
  const rows: (string | null)[][] = []
  const input = createReadStream(result.path, { start })
  let read = 0
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (rows.length === maxRows || read >= pageBytes) {
      input.destroy()
      return { rows, next: start + read }
    }
    read += Buffer.byteLength(line) + 1
    rows.push(JSON.parse(line) as (string | null)[]) // the columns of runInto
  }
  return { rows, next: undefined }
}
