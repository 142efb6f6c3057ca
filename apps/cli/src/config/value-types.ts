import { type Acknowledged, DAY_MS, DAY_SECONDS, formatDuration, parseDuration } from '@archiver/core'
import { parseListen } from '@archiver/web/listen'
import { parseMysqlAddress } from './mysql-address.js'
import { UnfitValue } from './problem.js'
import { parseTableName } from './table-name.js'

/** How a variable's text is read. */
export interface ValueType<T> {
  /** For the documentation. */
  readonly name: string
  /** Completes "is required: …". */
  readonly expects?: string
  /** @throws UnfitValue */
  read(text: string): T
}

/** Any text in one line. */
export const text: ValueType<string> = { name: 'text', read: readLine }
/** A path; not looked at here. */
export const path: ValueType<string> = { name: 'path', read: readLine }
/** A password: taken as it is, line breaks and all. */
export const password: ValueType<string> = {
  name: 'text',
  expects: 'the password; empty where there is none',
  read: (value) => value,
}
export const boolean: ValueType<boolean> = { name: 'boolean', read: readBoolean }
export const mysqlAddress = {
  name: 'address',
  expects: 'a host, host:port or the path of a socket',
  read: parseMysqlAddress,
} as const

/** A whole number within bounds, both inclusive. */
export function integer(least: number, most: number): ValueType<number> {
  return {
    name: 'integer',

    read: (value) => readInteger(value, least, most),
  }
}

/** A Go duration in milliseconds, from `leastMs` to `mostMs`. */
export function duration(mostMs = Number.POSITIVE_INFINITY, leastMs = 0): ValueType<number> {
  return {
    name: 'duration',

    read: (value) => {
      const ms = readDuration(value, mostMs)
      if (ms < leastMs) throw new UnfitValue(`is shorter than ${formatDuration(leastMs)}`)
      return ms
    },
  }
}

/** Whole seconds, as GET_LOCK takes them, or a duration; in milliseconds. */
export const seconds: ValueType<number> = {
  name: 'seconds or duration',

  read: (value) => readDuration(/^\d+$/.test(value) ? `${value}s` : value),
}

const secondsOf: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: DAY_SECONDS }

/** What `sleep` takes, up to a day: `120`, `2m`, `1m 30s`, `0.5`; or a Go duration. In milliseconds. */
export const pause: ValueType<number> = {
  name: 'seconds or duration',

  read: (value) => {
    const parts = value
      .trim()
      .split(/\s+/)
      .map((part) => /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(part))
    const ms = parts.includes(null)
      ? readDuration(value)
      : parts.reduce((sum, part) => sum + Number(part![1]) * secondsOf[part![2]!]! * 1000, 0)
    if (ms > DAY_MS) throw new UnfitValue('is longer than 24h')
    return Math.round(ms)
  },
}

/** One of these words. */
export function choice<const T extends string>(...words: readonly T[]): ValueType<T> {
  const list = words.join(', ')
  return {
    name: list,

    read: (value) => {
      const word = words.find((candidate) => candidate === value.toLowerCase())
      if (word === undefined) throw new UnfitValue(`is none of ${list}`)
      return word
    },
  }
}

const tlsModes = choice('false', 'true', 'skip-verify', 'preferred')

/** As Go's driver takes it: a boolean, or one of two words. */
export const tlsMode: typeof tlsModes = {
  ...tlsModes,
  read: (value) => {
    const word = /^(?:1|t)$/i.test(value) ? 'true' : /^(?:0|f)$/i.test(value) ? 'false' : value
    return tlsModes.read(word)
  },
}

/** Text of a given form. */
export function pattern(form: RegExp, what: string): ValueType<string> {
  return {
    name: 'text',
    read: (value) => {
      if (!form.test(value)) throw new UnfitValue(`is not ${what}`)
      return value
    },
  }
}

/** The name of a table of the source. */
export const table: ValueType<string> = { name: 'table', read: parseTableName }

/** Names of tables, with commas between them; at least one, each once. */
export const tables: ValueType<readonly string[]> = {
  name: 'tables',

  read: (value) => {
    const names = value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    if (names.length === 0) throw new UnfitValue('names no table')
    return [...new Set(names.map(parseTableName))]
  },
}

/** Host names without ports, with commas between them, in lower case. */
export const hostNames: ValueType<readonly string[]> = {
  name: 'host names',

  read: (value) => {
    const names = value
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '')
    const wrong = names.find((name) => !/^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/.test(name))
    if (wrong !== undefined) throw new UnfitValue(`${wrong} is not the name of a host`, 'without a port or a path')
    return names
  },
}

/** A server: its port only where one was given. */
export interface ServerAddress {
  readonly host: string
  readonly port: number | undefined
}

/** Names with commas between. */
export const names: ValueType<readonly string[]> = {
  name: 'list of names',

  read: (value) =>
    value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
}

/** Names with commas between, or `ok` for whatever there is. */
export const acknowledged: ValueType<Acknowledged> = {
  name: 'list of names, or ok',

  read: (value) => {
    const list = names.read(value)
    return list.includes('ok') ? 'ok' : list
  },
}

/** Addresses of servers, `host` or `host:port`, with commas between them. */
export const servers: ValueType<readonly ServerAddress[]> = {
  name: 'addresses',

  read: (value) =>
    value
      .split(',')
      .map((address) => address.trim())
      .filter((address) => address !== '')
      .map(readServer),
}

function readServer(value: string): ServerAddress {
  const { host, port, socketPath } = parseMysqlAddress(value)
  if (host === undefined || socketPath !== undefined) throw new UnfitValue(`${value} is not host or host:port`)
  return { host, port: /^(?:\[.*\]|[^:]+):\d+$/.test(value) ? port : undefined }
}

/** Where a service answers: `http://` or `https://`, or `host:port` for the former. */
export const endpoint: ValueType<string> = {
  name: 'URL',

  read: (value) => {
    const url = value.includes('://') ? value : `http://${value}`
    if (!/^https?:/i.test(url) || !URL.canParse(url)) throw new UnfitValue('is not a URL such as http://127.0.0.1:9050')
    const { username, password } = new URL(url)
    if (username !== '' || password !== '') throw new UnfitValue('must not hold a user or password')
    return value
  },
}

/** Where to listen: `:5000`, `127.0.0.1:5000`, `[::1]:5000` or `localhost:5000`; `off` or nothing for nowhere, which is empty text. */
export const listenAddress: ValueType<string> = {
  name: 'address',

  read: (value) => {
    if (value === 'off' || value === '') return ''
    try {
      parseListen(value)
      return value
    } catch {
      throw new UnfitValue('is not an address such as :5000, 127.0.0.1:5000 or [::1]:5000', 'off for none')
    }
  },
}

/** A time zone: `UTC`, or a name of the IANA database. */
export const timezone: ValueType<string> = {
  name: 'text',

  read: (value) => {
    if (value !== 'UTC' && value !== 'Local' && !isTimezone(value))
      throw new UnfitValue('is not a time zone such as UTC or Europe/Copenhagen')
    return value
  },
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

function readLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new UnfitValue('has a line break or another control character in it')
  return value
}

/** Go's strconv.ParseBool, and the yes and no that the Go program's settings also took. */
export function readBoolean(value: string): boolean {
  if (/^(?:1|t|true|yes)$/i.test(value)) return true
  if (/^(?:0|f|false|no)$/i.test(value)) return false
  throw new UnfitValue('is neither true nor false')
}

/** A decimal number, also with underscores (`500_000`). A leading zero is refused: Go would read it as octal. */
export function readInteger(value: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  if (!/^[+-]?(?:0|[1-9](?:_?\d)*)$/.test(value)) throw new UnfitValue('is not a whole number')
  const number = Number(value.replaceAll('_', ''))
  if (number < least) throw new UnfitValue(`is less than ${least}`)
  if (number > most) throw new UnfitValue(`is more than ${most}`)
  return number
}

/** A Go duration of 0 or more, in milliseconds. */
export function readDuration(value: string, mostMs = Number.POSITIVE_INFINITY): number {
  const ms = tryDuration(value)
  if (ms < 0) throw new UnfitValue('is negative')
  if (ms > mostMs) throw new UnfitValue(`is longer than ${formatDuration(mostMs)}`)
  return ms
}

function tryDuration(value: string): number {
  try {
    return parseDuration(value)
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'is not a duration'
    throw new UnfitValue(why, 'write it as 10s, 2m, 1h30m or 250ms')
  }
}
