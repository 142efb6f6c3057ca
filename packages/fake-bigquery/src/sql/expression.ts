import { invalidQuery } from './query-error.js'

/** BigQuery's types as far as queries here have them; NULL is that of the bare literal. */
export type SqlType =
  | 'INT64'
  | 'FLOAT64'
  | 'STRING'
  | 'BOOL'
  | 'TIMESTAMP'
  | 'NUMERIC'
  | 'BIGNUMERIC'
  | 'NULL'
  | `ARRAY<${'INT64' | 'STRING'}>`

/** A typed piece of a query, in ClickHouse's words. Every value may be null there; a TIMESTAMP is Int64 microseconds. */
export interface Expression {
  readonly sql: string
  readonly type: SqlType
  /** Its name in lower case, where this is a column and nothing else. */
  readonly column?: string
  /** Whether the value is known before any row is read. */
  readonly constant?: boolean
  /** Of a condition: the columns by which it rules out partitions. */
  readonly prunes?: readonly string[]
}

/** What a condition on a column and values known beforehand rules out. */
function pruned(operator: string, left: Expression, right: Expression): Pick<Expression, 'prunes'> {
  const column = right.constant ? left.column : left.constant ? right.column : undefined
  return column === undefined || operator === '!=' || operator === '<>' ? {} : { prunes: [column] }
}

export function and(left: Expression, right: Expression): Expression {
  return {
    sql: `(${left.sql} AND ${right.sql})`,
    type: 'BOOL',
    prunes: [...(left.prunes ?? []), ...(right.prunes ?? [])],
  }
}

/** Rules out what both sides do. */
export function or(left: Expression, right: Expression): Expression {
  const prunes = (left.prunes ?? []).filter((name) => right.prunes?.includes(name))
  return { sql: `(${left.sql} OR ${right.sql})`, type: 'BOOL', prunes }
}

const integer = 'Nullable(Int64)'

/** INT64 results are computed in 128 bits and must fit 64, as in BigQuery; ClickHouse alone would wrap around. */
function checkedInt64(sql: string): Expression {
  return { sql: `accurateCast(${sql}, '${integer}')`, type: 'INT64' }
}

export function arithmetic(operator: string, left: Expression, right: Expression, at: string): Expression {
  return { ...computed(operator, left, right, at), constant: left.constant === true && right.constant === true }
}

function computed(operator: string, left: Expression, right: Expression, at: string): Expression {
  const type = common(left, right)
  const operands = [left, right].map((operand) => `${widened(operand, type)}`)
  const sql = `(${operands.join(` ${operator} `)})`
  if (type === 'FLOAT64') return { sql, type }
  if (type === 'INT64' && operator !== '/') return checkedInt64(sql)
  if (type === 'INT64') return { sql: `(toFloat64(${left.sql}) / toFloat64(${right.sql}))`, type: 'FLOAT64' }
  if ((type === 'NUMERIC' || type === 'BIGNUMERIC') && operator !== '/') return { sql, type }
  throw noMatch(`operator ${operator}`, [left, right], at)
}

export function comparison(operator: string, left: Expression, right: Expression, at: string): Expression {
  const type = common(left, right)
  if (type === undefined) throw noMatch(`operator ${operator}`, [left, right], at)
  const sql = `(${widened(left, type)} ${operator} ${widened(right, type)})`
  return { sql, type: 'BOOL', ...pruned(operator, left, right) }
}

const numeric: readonly SqlType[] = ['INT64', 'NUMERIC', 'BIGNUMERIC', 'FLOAT64']

/** The type that both sides become without a cast; undefined where there is none. */
function common(left: Expression, right: Expression): SqlType | undefined {
  if (left.type === right.type || right.type === 'NULL') return left.type
  if (left.type === 'NULL') return right.type
  const ranks = [numeric.indexOf(left.type), numeric.indexOf(right.type)]
  return ranks.includes(-1) ? undefined : numeric[Math.max(...ranks)]
}

function widened({ sql }: Expression, type: SqlType | undefined): string {
  if (type === 'INT64') return `toInt128(${sql})`
  if (type === 'NUMERIC' || type === 'BIGNUMERIC') return `toInt256(${sql})`
  return type === 'FLOAT64' ? `toFloat64(${sql})` : sql
}

type Rule = (args: readonly Expression[]) => Expression | undefined

/** A function with one list of argument types. */
function taking(types: readonly SqlType[], build: (...sql: string[]) => Expression): Rule {
  return (args) => {
    const fits = args.length === types.length && args.every(({ type }, n) => type === types[n] || type === 'NULL')
    return fits ? build(...args.map(({ sql }) => sql)) : undefined
  }
}

const toSeconds = (per: number) => (sql: string) =>
  checkedInt64(`intDiv(${sql} - positiveModulo(${sql}, ${per}), ${per})`)
const fromSeconds =
  (each: number) =>
  (sql: string): Expression => ({ ...checkedInt64(`toInt128(${sql}) * ${each}`), type: 'TIMESTAMP' })

const first: Rule = (args) => {
  const type = args.find((arg) => arg.type !== 'NULL')?.type ?? 'NULL'
  const same = args.length > 0 && args.every((arg) => arg.type === type || arg.type === 'NULL')
  return same ? { sql: `coalesce(${args.map(({ sql }) => sql).join(', ')})`, type } : undefined
}

const sameTypeAggregate =
  (name: string): Rule =>
  (args) =>
    args.length === 1 ? { sql: `${name}(${args[0]!.sql})`, type: args[0]!.type } : undefined

const sum: Rule = (args) => {
  const [arg] = args
  if (!arg || args.length !== 1 || !numeric.includes(arg.type)) return undefined
  const total = `sumOrNull(${widened(arg, arg.type)})`
  return arg.type === 'INT64' ? checkedInt64(total) : { sql: total, type: arg.type }
}

const functions: Readonly<Record<string, Rule>> = {
  MOD: taking(['INT64', 'INT64'], (a, b) => ({ sql: `toInt64(modulo(${a}, ${b}))`, type: 'INT64' })),
  DIV: taking(['INT64', 'INT64'], (a, b) => ({ sql: `toInt64(intDiv(${a}, ${b}))`, type: 'INT64' })),
  UNIX_SECONDS: taking(['TIMESTAMP'], toSeconds(1_000_000)),
  UNIX_MILLIS: taking(['TIMESTAMP'], toSeconds(1_000)),
  UNIX_MICROS: taking(['TIMESTAMP'], (sql) => ({ sql, type: 'INT64' })),
  TIMESTAMP_SECONDS: taking(['INT64'], fromSeconds(1_000_000)),
  TIMESTAMP_MILLIS: taking(['INT64'], fromSeconds(1_000)),
  TIMESTAMP_MICROS: taking(['INT64'], fromSeconds(1)),
  COALESCE: first,
  IFNULL: (args) => (args.length === 2 ? first(args) : undefined),
  COUNTIF: taking(['BOOL'], (sql) => ({ sql: `toInt64(countIf(${sql}))`, type: 'INT64' })),
  BIT_XOR: taking(['INT64'], (sql) => ({ sql: `groupBitXorOrNull(${sql})`, type: 'INT64' })),
  MIN: sameTypeAggregate('minOrNull'),
  MAX: sameTypeAggregate('maxOrNull'),
  SUM: sum,
}

export function call(name: string, args: readonly Expression[], at: string): Expression {
  const rule = functions[name.toUpperCase()]
  if (!rule) throw invalidQuery(`Function not found: ${name}`, at)
  const built = rule(args)
  if (!built) throw noMatch(`function ${name.toUpperCase()}`, args, at)
  return { ...built, constant: args.length > 0 && args.every(({ constant }) => constant === true) }
}

export function count(argument: Expression | undefined, distinct: boolean): Expression {
  const sql = argument ? `${distinct ? 'uniqExact' : 'count'}(${argument.sql})` : 'count()'
  return { sql: `toInt64(${sql})`, type: 'INT64' }
}

export function cast({ sql, type }: Expression, target: string, at: string): Expression {
  const wanted = target.toUpperCase()
  if (wanted === 'STRING' && type !== 'TIMESTAMP') return { sql: `toString(${sql})`, type: wanted }
  const whole = type === 'INT64' || type === 'NUMERIC' || type === 'BIGNUMERIC'
  if (wanted === 'INT64' && (whole || type === 'STRING')) return checkedInt64(sql)
  if (wanted === 'FLOAT64' && numeric.includes(type)) return { sql: `toFloat64(${sql})`, type: wanted }
  if ((wanted === 'NUMERIC' || wanted === 'BIGNUMERIC') && whole) return { sql: `toInt256(${sql})`, type: wanted }
  throw invalidQuery(`Invalid cast from ${type} to ${wanted} (or one that the fake does not know)`, at)
}

function noMatch(what: string, args: readonly Expression[], at: string) {
  return invalidQuery(
    `No matching signature for ${what} for argument types: ${args.map(({ type }) => type).join(', ')}`,
    at,
  )
}
