import { alreadyExists, invalid, notFound } from './api-error.js'
import type { FieldType, TableField } from './contract.js'
import { at, listAt, recordAt, textAt } from './json.js'
import { TableData } from './table-data.js'

export interface Dataset {
  readonly id: string
  readonly location: string
  readonly expirations: Expirations
  readonly tables: Map<string, Table>
}

/** What tables made in a data set from then on expire after, in milliseconds as texts: of datasets.insert. */
export interface Expirations {
  readonly defaultTableExpirationMs?: string
  readonly defaultPartitionExpirationMs?: string
}

export interface Table {
  readonly dataset: Dataset
  readonly id: string
  fields: readonly TableField[]
  /** What else tables.insert and tables.patch said: partitioning, clustering, description, labels. */
  settings: Readonly<Record<string, unknown>>
  readonly createdMs: number
  data: TableData
}

/** The project's datasets and tables. */
export class Catalog {
  readonly projectId: string
  readonly #folder: string
  readonly #datasets = new Map<string, Dataset>()

  constructor(projectId: string, folder: string) {
    this.projectId = projectId
    this.#folder = folder
  }

  createDataset(id: string, location: string, expirations: Expirations = {}): Dataset {
    if (this.#datasets.has(id)) throw alreadyExists(`Dataset ${this.projectId}:${id}`)
    const dataset = { id, location, expirations, tables: new Map() }
    this.#datasets.set(id, dataset)
    return dataset
  }

  /** @param location in which it is looked for; anywhere where undefined. */
  dataset(id: string, location?: string): Dataset {
    const found = this.#datasets.get(id)
    if (!found) throw notFound(`Dataset ${this.projectId}:${id}`)
    if (location !== undefined && location.toLowerCase() !== found.location.toLowerCase()) {
      throw notFound(`Dataset ${this.projectId}:${id} was not found in location ${location}`)
    }
    return found
  }

  table(datasetId: string, id: string): Table {
    const found = this.dataset(datasetId).tables.get(id)
    if (!found) throw notFound(`Table ${this.nameOf(datasetId, id)}`)
    return found
  }

  /** As BigQuery writes it in errors. */
  nameOf(datasetId: string, tableId: string): string {
    return `${this.projectId}:${datasetId}.${tableId}`
  }

  createTable(datasetId: string, id: string, resource: unknown): Table {
    const dataset = this.dataset(datasetId)
    if (dataset.tables.has(id)) throw alreadyExists(`Table ${this.nameOf(datasetId, id)}`)
    const fields = fieldsOf(resource)
    const settings = expiring(settingsOf(resource), dataset.expirations)
    checkLayout(fields, settings)
    return this.addTable(dataset, id, fields, settings)
  }

  addTable(dataset: Dataset, id: string, fields: readonly TableField[], settings: Table['settings']): Table {
    const table: Table = { dataset, id, fields, settings, createdMs: Date.now(), data: this.noRows() }
    dataset.tables.set(id, table)
    return table
  }

  noRows(): TableData {
    return new TableData(this.#folder)
  }

  /** Columns may be added as NULLABLE and relaxed, nothing else; the rest of the resource is merged. */
  patchTable(table: Table, patch: unknown): void {
    const settings = { ...table.settings, ...settingsOf(patch) }
    if (at(patch, 'schema') !== undefined) {
      const fields = fieldsOf(patch)
      this.#checkChange(table, fields)
      table.fields = fields
    }
    table.settings = settings
  }

  deleteTable(datasetId: string, id: string): void {
    this.table(datasetId, id).dataset.tables.delete(id)
  }

  #checkChange(table: Table, fields: readonly TableField[]): void {
    const why = changeRefused(table.fields, fields)
    if (why) throw invalid(`Provided Schema does not match Table ${this.nameOf(table.dataset.id, table.id)}. ${why}`)
  }
}

function changeRefused(before: readonly TableField[], after: readonly TableField[]): string | undefined {
  const old = new Map(before.map((field) => [field.name, field]))
  for (const field of after) {
    const was = old.get(field.name)
    old.delete(field.name)
    if (!was && field.mode === 'REQUIRED') {
      return `Cannot add required fields to an existing schema. (field: ${field.name})`
    }
    if (was && was.type !== field.type) {
      return `Field ${field.name} has changed type from ${was.type} to ${field.type}`
    }
    if (was && was.mode !== 'REQUIRED' && field.mode === 'REQUIRED') {
      return `Field ${field.name} has changed mode from NULLABLE to REQUIRED`
    }
  }
  const [lost] = old.keys()
  return lost && `Field ${lost} is missing in new schema`
}

/** tables.get speaks the older names, whatever names a table was made with. */
const olderNames: Readonly<Record<string, FieldType>> = {
  INT64: 'INTEGER',
  FLOAT64: 'FLOAT',
  BOOL: 'BOOLEAN',
  DECIMAL: 'NUMERIC',
  BIGDECIMAL: 'BIGNUMERIC',
}
const typeNames: readonly string[] = [
  'INTEGER',
  'FLOAT',
  'STRING',
  'TIMESTAMP',
  'BOOLEAN',
  'BYTES',
  'DATE',
  'DATETIME',
  'NUMERIC',
  'BIGNUMERIC',
] satisfies FieldType[]

function isFieldType(name: string): name is FieldType {
  return typeNames.includes(name)
}

function fieldsOf(resource: unknown): TableField[] {
  return listAt(resource, 'schema', 'fields').map((field) => {
    const name = textAt(field, 'name') ?? ''
    const given = (textAt(field, 'type') ?? '').toUpperCase()
    const type = olderNames[given] ?? given
    const mode = (textAt(field, 'mode') ?? 'NULLABLE').toUpperCase()
    if (!/^[A-Za-z_]\w{0,299}$/.test(name)) throw invalid(`Invalid field name "${name}".`)
    if (!isFieldType(type)) throw invalid(`Invalid value for type: ${given} is not a valid value`)
    if (mode !== 'NULLABLE' && mode !== 'REQUIRED' && mode !== 'REPEATED') {
      throw invalid(`Invalid value for mode: ${mode} is not a valid value`)
    }
    return { name, type, mode, ...pick(field, ['description', 'defaultValueExpression']) }
  })
}

/** What a new table takes over from its data set; of a partitioned one the partitions expire, where both are set. */
function expiring(settings: Table['settings'], defaults: Expirations): Table['settings'] {
  const { defaultTableExpirationMs: tableMs, defaultPartitionExpirationMs: partitionMs } = defaults
  const { timePartitioning, expirationTime } = settings
  if (timePartitioning !== undefined && partitionMs !== undefined) {
    return { ...settings, timePartitioning: { expirationMs: partitionMs, ...recordAt(timePartitioning) } }
  }
  if (tableMs === undefined || expirationTime !== undefined) return settings
  return { ...settings, expirationTime: String(Date.now() + Number(tableMs)) }
}

/** The column that every query of a table with these settings must filter; undefined where none need be. */
export function requiredFilter(settings: Table['settings']): string | undefined {
  const required = [settings, recordAt(settings.timePartitioning)].some(
    ({ requirePartitionFilter }) => requirePartitionFilter === true,
  )
  if (!required) return undefined
  return (
    textAt(settings, 'timePartitioning', 'field') ?? textAt(settings, 'rangePartitioning', 'field') ?? '_PARTITIONTIME'
  )
}

const settingNames = [
  'description',
  'friendlyName',
  'labels',
  'timePartitioning',
  'rangePartitioning',
  'requirePartitionFilter',
  'clustering',
  'expirationTime',
  'view',
]

function settingsOf(resource: unknown): Table['settings'] {
  return pick(resource, settingNames)
}

function pick(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  const given = recordAt(value)
  return Object.fromEntries(names.filter((name) => name in given).map((name) => [name, given[name]]))
}

export function checkLayout(fields: readonly TableField[], settings: Table['settings']): void {
  const partition = textAt(settings, 'timePartitioning', 'field')
  const column = fields.find((field) => field.name === partition)
  if (partition !== undefined && !column) {
    throw invalid('The field specified for partitioning cannot be found in the schema')
  }
  if (column && !['TIMESTAMP', 'DATE', 'DATETIME'].includes(column.type)) {
    throw invalid(
      `The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. The type found is: ${column.type}.`,
    )
  }
  for (const name of listAt(settings, 'clustering', 'fields')) {
    if (!fields.some((field) => field.name === name)) {
      throw invalid(`The field specified for clustering cannot be found in the schema. Invalid field: ${String(name)}.`)
    }
  }
}
