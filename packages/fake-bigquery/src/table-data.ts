import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type AvroField, fieldsOfAvro } from './avro-fields.js'
import { type ClickHouse, literal, quoted } from './clickhouse.js'
import type { TableField } from './contract.js'

/** The file of one load job. */
export interface LoadedFile {
  readonly avroPath: string
  readonly schema: unknown
  readonly useLogicalTypes: boolean
  /** As the container's blocks say. */
  readonly rows: number
}

/**
 * A table's rows: one file in ClickHouse's Native format for each file loaded. They count from the moment they are in the
 * list, as a whole; what was not decoded yet is decoded when it is asked for.
 */
export class TableData {
  readonly #folder: string
  readonly #decoded: string[] = []
  readonly #waiting: LoadedFile[] = []
  #decoding: Promise<void> = Promise.resolve()
  #rows = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  get rows(): number {
    return this.#rows
  }

  /** @param name of {@link decode}; undefined to decode later. */
  add(file: LoadedFile, name: string | undefined): void {
    this.#rows += file.rows
    if (file.rows === 0) return
    if (name === undefined) this.#waiting.push(file)
    else this.#decoded.push(name)
  }

  /** A table expression for ClickHouse. */
  async source(clickHouse: ClickHouse, fields: readonly TableField[]): Promise<string> {
    this.#decoding = this.#decoding.then(() => this.#decodeWaiting(clickHouse))
    await this.#decoding
    const structure = literal(structureOf(fields))
    if (this.#decoded.length === 0) return `null(${structure})`
    const files = join(this.#folder, `{${this.#decoded.join(',')}}.native`)
    return `file(${literal(files)}, 'Native', ${structure})`
  }

  async #decodeWaiting(clickHouse: ClickHouse): Promise<void> {
    for (let file = this.#waiting[0]; file; file = this.#waiting[0]) {
      this.#decoded.push(await decode(clickHouse, this.#folder, file))
      this.#waiting.shift()
    }
  }
}

/**
 * Has ClickHouse read every row of an Avro file, which is then removed.
 *
 * @returns the name, without its ending, of the file in `folder` that holds the rows. @throws Error as ClickHouse says it
 */
export async function decode(clickHouse: ClickHouse, folder: string, file: LoadedFile): Promise<string> {
  const name = randomUUID()
  const unfinished = join(folder, `${name}.unfinished`)
  const fields = fieldsOfAvro(file.schema, file.useLogicalTypes)
  const inAvro = fields.map((field) => `${quoted(field.name)} ${clickHouseType(field)}`).join(', ')
  await clickHouse.run(
    `INSERT INTO FUNCTION file(${literal(unfinished)}, 'Native', ${literal(structureOf(fields))})
     SELECT ${fields.map(column).join(', ')} FROM file(${literal(file.avroPath)}, 'Avro', ${literal(inAvro)})`,
  )
  const [[rows] = []] = await clickHouse.rows(`SELECT count() FROM file(${literal(unfinished)}, 'Native')`)
  if (Number(rows) !== file.rows) throw new Error(`${rows} rows where the blocks' counts say ${file.rows}`)
  await rename(unfinished, join(folder, `${name}.native`))
  await rm(file.avroPath)
  return name
}

function column(field: AvroField): string {
  return field.unit === 'millis' ? `${quoted(field.name)} * 1000` : quoted(field.name)
}

/** TIMESTAMP as it is kept: microseconds. All are nullable; what REQUIRED asks for was checked by the schemas. */
const clickHouseTypes: Readonly<Record<string, string>> = {
  INTEGER: 'Int64',
  TIMESTAMP: 'Int64',
  FLOAT: 'Float64',
  BOOLEAN: 'Bool',
}

function structureOf(fields: readonly TableField[]): string {
  return fields.map((field) => `${columnName(field)} ${clickHouseType(field)}`).join(', ')
}

function clickHouseType({ type }: TableField): string {
  return `Nullable(${clickHouseTypes[type] ?? 'String'})`
}

/** BigQuery's columns are the same in upper and lower case. */
export function columnName({ name }: { readonly name: string }): string {
  return quoted(name.toLowerCase())
}
