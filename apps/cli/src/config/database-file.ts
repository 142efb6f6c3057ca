import { createRequire } from 'node:module'
import { nearestName } from './nearest.js'
import { UnfitValue } from './problem.js'

/** What a `database.yaml` says of MySQL. Empty where it says nothing. */
export interface DatabaseFile {
  readonly dsn: string
  readonly user: string
  readonly pass: string
  readonly dbname: string
  /** Keys that mean nothing here. */
  readonly warnings: readonly string[]
}

const keys = ['dsn', 'user', 'pass', 'dbname'] as const
const shape = 'the form is mysql: {dsn, user, pass, dbname}'

/**
 * Reads a `database.yaml`. Every value is taken as the text it is written as: a password of `0123` stays so.
 *
 * @returns null for a file without a section `mysql`: other programs keep other sections in it.
 * @throws UnfitValue without any of the content.
 */
export function parseDatabaseFile(content: string): DatabaseFile | null {
  const root = parseYaml(content)
  if (isMap(root) && !Object.hasOwn(root, 'mysql')) return null
  const mysql = section(root)
  const warnings = Object.keys(mysql)
    .filter((key) => !isKnown(key))
    .map(unknownKey)
  const [dsn = '', user = '', pass = '', dbname = ''] = keys.map((key) => scalar(mysql, key))
  return { dsn, user, pass, dbname, warnings }
}

/** For a file without the section, where nothing else says how MySQL is reached. */
export function noSection(): UnfitValue {
  return new UnfitValue('has no section mysql', shape)
}

/** Loaded when there is such a file, and only then: it costs 30 ms. */
function parseYaml(content: string): unknown {
  // The type that require() cannot know.
  const { parseDocument } = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  const document = parseDocument(content, { schema: 'failsafe', prettyErrors: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error === undefined) return plain(document)
  const line = content.slice(0, error.pos[0]).split('\n').length
  throw new UnfitValue(`line ${line} is not valid YAML (${error.code})`)
}

/** The parser's own message names the alias it cannot resolve, which may be a password that starts with an asterisk. */
function plain(document: { toJS(): unknown }): unknown {
  try {
    return document.toJS()
  } catch {
    throw new UnfitValue('is not valid YAML', 'a value that starts with an asterisk needs quotes')
  }
}

function section(root: unknown): Readonly<Record<string, unknown>> {
  const { mysql = undefined } = isMap(root) ? root : {}
  if (!isMap(mysql)) throw noSection()
  return mysql
}

function scalar(mysql: Readonly<Record<string, unknown>>, key: string): string {
  const value = mysql[key] ?? ''
  if (typeof value !== 'string') throw new UnfitValue(`has a mysql.${key} that is not a text`, shape)
  return value
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isKnown(key: string): boolean {
  return keys.some((known) => known === key)
}

function unknownKey(key: string): string {
  const near = nearestName(key, keys)
  return `mysql.${key} is not known and not used${near === undefined ? '' : `; did you mean ${near}?`}`
}
