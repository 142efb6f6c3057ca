import { literal } from '../clickhouse.js'
import { at, listAt, textAt } from '../json.js'
import type { Expression } from './expression.js'
import { invalidQuery } from './query-error.js'

/** The `queryParameters` of a request: named, or by position. */
export class Parameters {
  readonly #all: readonly unknown[]
  #next = 0

  constructor(queryParameters: readonly unknown[]) {
    this.#all = queryParameters
  }

  /** @param name empty for one by position. */
  value(name: string, place: string): Expression {
    const found =
      name === ''
        ? this.#all[this.#next++]
        : this.#all.find((each) => textAt(each, 'name')?.toLowerCase() === name.toLowerCase())
    if (found === undefined) throw invalidQuery(`Query parameter '${name}' not found`, place)
    const type = textAt(found, 'parameterType', 'type') ?? ''
    if (type === 'ARRAY') return arrayOf(found, place)
    return scalar(type, textOf(at(found, 'parameterValue', 'value')), place)
  }
}

function arrayOf(parameter: unknown, place: string): Expression {
  const type = textAt(parameter, 'parameterType', 'arrayType', 'type') ?? ''
  if (type !== 'INT64' && type !== 'STRING') throw invalidQuery(`The fake knows no parameter ARRAY<${type}>`, place)
  const values = listAt(parameter, 'parameterValue', 'arrayValues').map((each) => textOf(at(each, 'value')))
  const items = values.map((value) => scalar(type, value, place).sql)
  const empty = `CAST([], 'Array(${type === 'INT64' ? 'Int64' : 'String'})')`
  return { sql: items.length === 0 ? empty : `[${items.join(', ')}]`, type: `ARRAY<${type}>` }
}

function scalar(type: string, value: string | undefined, place: string): Expression {
  if (value === undefined) return { sql: 'NULL', type: 'NULL' }
  const bad = invalidQuery(`Invalid value for ${type}: ${value}`, place)
  if (type === 'INT64') {
    if (!/^-?\d+$/.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) throw bad
    return { sql: `toInt64(${literal(value)})`, type }
  }
  if (type === 'FLOAT64') return { sql: `toFloat64(${literal(value)})`, type }
  if (type === 'STRING') return { sql: literal(value), type }
  if (type === 'BOOL') return { sql: value === 'true' ? 'true' : 'false', type }
  if (type !== 'TIMESTAMP') throw invalidQuery(`The fake knows no parameter of type ${type}`, place)
  const ms = Date.parse(value.replace(' UTC', 'Z').replace(' ', 'T'))
  if (Number.isNaN(ms)) throw bad
  return { sql: `toInt64(${ms}) * 1000`, type }
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value)
}
