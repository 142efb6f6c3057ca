import { RowError, shortText } from '@archiver/core'
import { FRACTION } from './columns.js'

/** A number as mysql2 hands it over: integers beyond 2^53-1 and all decimals are texts. */
export type DriverNumber = number | string

type Id = number | string | bigint

/** The smallest and the largest whole number of a column. */
type Bounds = readonly [least: number, most: number]

export const UINT32: Bounds = [0, 2 ** 32 - 1]
export const INT32: Bounds = [-(2 ** 31), 2 ** 31 - 1]

const MAX_TS_SECONDS = 0xffff_ffff

/** Digits with which every decimal number comes back from a double as it was. */
const EXACT_DIGITS = 15

/** A whole number of a column that may be wider than the archives'. @throws RowError for one that they cannot hold. */
export function whole(id: Id, column: string, value: DriverNumber, [least, most]: Bounds): number {
  const number = typeof value === 'number' ? value : /^-?\d+(\.0*)?$/.test(value) ? Number(value) : Number.NaN
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new RowError(BigInt(id), column, `is ${shortText(String(value))}, not a whole number from ${least} to ${most}`)
}

/** A double, or a decimal that a double gives back digit by digit. @throws RowError for any other. */
export function double(id: Id, column: string, value: DriverNumber): number {
  if (typeof value === 'number' || significantDigits(value) <= EXACT_DIGITS) return Number(value)
  const why = `is ${shortText(value)}, with more than the ${EXACT_DIGITS} digits that a double holds`
  throw new RowError(BigInt(id), column, why)
}

/** Without leading and trailing zeros. */
function significantDigits(text: string): number {
  const digits = text.replace(/[-.]/g, '').replace(/^0+/, '')
  return (text.includes('.') || digits.length > EXACT_DIGITS ? digits.replace(/0+$/, '') : digits).length
}

/** @throws RowError for a time that no archive can hold. */
export function tsSeconds(id: Id, seconds: number | null): number {
  if (seconds === null) return refuseNoTime(id)
  return seconds < 0 || seconds > MAX_TS_SECONDS ? refuseTime(id, seconds) : seconds
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a column that may have no character set. @throws RowError for bytes that are not UTF-8. */
export function textOf(id: Id, value: string | Buffer | null): string | null {
  if (value === null || typeof value === 'string') return value
  try {
    return utf8.decode(value)
  } catch {
    throw new RowError(BigInt(id), 'attributes', `is not UTF-8: ${shortText(value.toString('hex'))} (hexadecimal)`)
  }
}

export function missing(id: Id, column: string): never {
  throw new RowError(BigInt(id), column, 'is NULL')
}

export function refuseNoTime(id: Id): never {
  throw new RowError(BigInt(id), 'ts', 'is NULL or a zero date')
}

export function refuseTime(id: Id, seconds: number): never {
  if (seconds === FRACTION) throw new RowError(BigInt(id), 'ts', 'has a fraction of a second, which no archive keeps')
  const time = new Date(seconds * 1000).toISOString().replace('T', ' ').replace('.000Z', '')
  throw new RowError(BigInt(id), 'ts', `${time} is not between 1970 and 2106-02-07 06:28:15`)
}

/** A row as the driver hands it to its parser: its bytes, in a buffer that holds other rows too. */
export interface RowPacket {
  readonly buffer: Buffer
  /** Of the next byte; at first that of the row's own first one. */
  offset: number
  /** Of the first byte behind the row. */
  readonly end: number
  /** Reads a text that is not NULL, and moves `offset` behind it. */
  readLengthCodedString(encoding: string): string
}
