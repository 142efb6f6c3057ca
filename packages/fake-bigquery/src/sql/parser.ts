import { literal } from '../clickhouse.js'
import { and, arithmetic, call, cast, comparison, count, type Expression, or } from './expression.js'
import type { Parameters } from './parameters.js'
import { invalidQuery } from './query-error.js'
import { type Token, tokensOf } from './tokens.js'

/** Reads tokens one after another, and expressions of them. What it accepts is in README.md. */
export class Parser {
  /** Set once FROM is known, before the select list is read. */
  columns: ReadonlyMap<string, Expression> = new Map()
  readonly #tokens: readonly Token[]
  readonly #parameters: Parameters
  #next = 0

  constructor(sql: string, parameters: Parameters) {
    this.#tokens = tokensOf(sql)
    this.#parameters = parameters
  }

  get position(): number {
    return this.#next
  }

  rewind(position: number): void {
    this.#next = position
  }

  get token(): Token {
    return this.#tokens[this.#next]!
  }

  take(): Token {
    const { token } = this
    if (token.kind !== 'end') this.#next++
    return token
  }

  /** Takes a keyword or symbol if it comes next. */
  accept(...words: readonly string[]): boolean {
    const found = words.every((word, n) => isWord(this.#tokens[this.#next + n], word))
    if (found) this.#next += words.length
    return found
  }

  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.unexpected(word)
  }

  unexpected(wanted?: string): Error {
    const { text, at } = this.token
    const message = wanted === undefined ? `Unexpected "${text}"` : `Expected ${wanted} but got "${text}"`
    return invalidQuery(`Syntax error: ${message}`, at)
  }

  list<Item>(item: () => Item): Item[] {
    const items = [item()]
    while (this.accept(',')) items.push(item())
    return items
  }

  expression(): Expression {
    let left = this.#and()
    while (this.accept('OR')) left = or(left, this.#and())
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.accept('AND')) left = and(left, this.#not())
    return left
  }

  #not(): Expression {
    return this.accept('NOT') ? { sql: `(NOT ${this.#not().sql})`, type: 'BOOL' } : this.#comparison()
  }

  #comparison(): Expression {
    const left = this.#sum()
    const { at, text } = this.token
    if (['=', '!=', '<>', '<', '<=', '>', '>='].includes(text) && this.token.kind === 'symbol') {
      this.take()
      return comparison(text, left, this.#sum(), at)
    }
    if (this.accept('IS', 'NOT', 'NULL')) return { sql: `isNotNull(${left.sql})`, type: 'BOOL' }
    if (this.accept('IS', 'NULL')) return { sql: `isNull(${left.sql})`, type: 'BOOL' }
    if (this.accept('BETWEEN')) return this.#between(left, at)
    if (this.accept('NOT', 'IN')) return { sql: `(NOT ${this.#in(left, at).sql})`, type: 'BOOL' }
    return this.accept('IN') ? this.#in(left, at) : left
  }

  #between(value: Expression, at: string): Expression {
    const low = comparison('>=', value, this.#sum(), at)
    this.expect('AND')
    const high = comparison('<=', value, this.#sum(), at)
    return and(low, high)
  }

  #in(value: Expression, at: string): Expression {
    if (this.accept('UNNEST', '(')) {
      const array = this.expression()
      this.expect(')')
      if (array.type !== `ARRAY<${value.type}>`) {
        throw invalidQuery(
          `No matching signature for operator IN UNNEST for argument types: ${value.type}, ${array.type}`,
          at,
        )
      }
      return { sql: `has(${array.sql}, assumeNotNull(${value.sql}))`, type: 'BOOL' }
    }
    this.expect('(')
    const equal = this.list(() => comparison('=', value, this.expression(), at))
    this.expect(')')
    return equal.reduce(or)
  }

  #sum(): Expression {
    let left = this.#product()
    for (;;) {
      const { at, text } = this.token
      if (!this.accept('+') && !this.accept('-')) return left
      left = arithmetic(text, left, this.#product(), at)
    }
  }

  #product(): Expression {
    let left = this.#unary()
    for (;;) {
      const { at, text } = this.token
      if (!this.accept('*') && !this.accept('/')) return left
      left = arithmetic(text, left, this.#unary(), at)
    }
  }

  #unary(): Expression {
    const { at } = this.token
    if (this.accept('-'))
      return arithmetic('-', { sql: 'toInt64(0)', type: 'INT64', constant: true }, this.#unary(), at)
    if (!this.accept('(')) return this.#value()
    const inner = this.expression()
    this.expect(')')
    return inner
  }

  #value(): Expression {
    const token = this.take()
    if (token.kind === 'number') return numberLiteral(token)
    if (token.kind === 'text') return { sql: literal(token.text), type: 'STRING', constant: true }
    if (token.kind === 'parameter') return { ...this.#parameters.value(token.text, token.at), constant: true }
    if (token.kind === 'quoted') return this.#column(token)
    if (token.kind !== 'name') {
      this.#next--
      throw this.unexpected()
    }
    const word = token.text.toUpperCase()
    if (word === 'TRUE' || word === 'FALSE') return { sql: word, type: 'BOOL' }
    if (word === 'NULL') return { sql: 'NULL', type: 'NULL' }
    if (word !== 'CAST' && isReserved(token)) {
      this.#next--
      throw this.unexpected()
    }
    return this.accept('(') ? this.#call(token) : this.#column(token)
  }

  /** A name for a column of the result. */
  alias(): string {
    const { token } = this
    if ((token.kind !== 'name' && token.kind !== 'quoted') || isReserved(token)) throw this.unexpected()
    return this.take().text
  }

  #column({ text, at }: Token): Expression {
    const found = this.columns.get(text.toLowerCase())
    if (!found) throw invalidQuery(`Unrecognized name: ${text}`, at)
    return found
  }

  #call({ text, at }: Token): Expression {
    const name = text.toUpperCase()
    if (name === 'COUNT') return this.#count()
    if (name === 'CAST') return this.#cast(at)
    const args = this.accept(')') ? [] : this.list(() => this.expression())
    if (args.length > 0) this.expect(')')
    return call(text, args, at)
  }

  #count(): Expression {
    const distinct = this.accept('DISTINCT')
    const argument = !distinct && this.accept('*') ? undefined : this.expression()
    this.expect(')')
    return count(argument, distinct)
  }

  #cast(at: string): Expression {
    const value = this.expression()
    this.expect('AS')
    const target = this.take().text
    this.expect(')')
    return cast(value, target, at)
  }
}

function isWord(token: Token | undefined, word: string): boolean {
  return (token?.kind === 'name' || token?.kind === 'symbol') && token.text.toUpperCase() === word
}

/** GoogleSQL's reserved words: without backticks they name nothing, `AS rows` is an error. */
const reserved = new Set(
  `ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT
  DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING
  GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO
  NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT
  SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN`.split(
    /\s+/,
  ),
)

function isReserved({ kind, text }: Token): boolean {
  return kind === 'name' && reserved.has(text.toUpperCase())
}

function numberLiteral({ text, at }: Token): Expression {
  if (!/^\d+$/.test(text)) return { sql: `toFloat64(${literal(text)})`, type: 'FLOAT64', constant: true }
  if (BigInt(text) >= 2n ** 63n) throw invalidQuery(`Invalid integer literal: ${text}`, at)
  return { sql: `toInt64(${text})`, type: 'INT64', constant: true }
}
