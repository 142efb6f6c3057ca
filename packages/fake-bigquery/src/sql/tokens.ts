import { invalidQuery } from './query-error.js'

export interface Token {
  readonly kind: 'name' | 'quoted' | 'number' | 'text' | 'parameter' | 'symbol' | 'end'
  /** Without quotes; of a name as it is written. */
  readonly text: string
  /** `[line:column]`, as BigQuery's messages end. */
  readonly at: string
}

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|--[^\n]*|#[^\n]*)/y],
  ['quoted', /`([^`\\]+)`/y],
  ['text', /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/y],
  ['number', /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?/y],
  ['parameter', /@([A-Za-z_]\w*)|\?/y],
  ['name', /[A-Za-z_]\w*/y],
  ['symbol', /<>|!=|<=|>=|[-+*/=<>(),.;]/y],
]

/** @throws QueryError at the first character that fits nothing. */
export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  while (position < sql.length) {
    const found = match(sql, position)
    if (!found) throw invalidQuery(`Syntax error: Illegal input character "${sql[position]}"`, placeOf(sql, position))
    if (found.kind !== 'space') tokens.push({ kind: found.kind, text: found.text, at: placeOf(sql, position) })
    position += found.length
  }
  tokens.push({ kind: 'end', text: 'end of script', at: placeOf(sql, position) })
  return tokens
}

function match(sql: string, position: number) {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = position
    const found = pattern.exec(sql)
    if (!found) continue
    const inner = found[1] ?? found[2]
    const text = kind === 'text' ? unescaped(inner ?? '') : (inner ?? (kind === 'parameter' ? '' : found[0]))
    return { kind, text, length: found[0].length }
  }
  return undefined
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => escapes[character] ?? character)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }

function placeOf(sql: string, position: number): string {
  const before = sql.slice(0, position).split('\n')
  return `[${before.length}:${before.at(-1)!.length + 1}]`
}
