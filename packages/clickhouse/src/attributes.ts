import type { Attributes } from '@archiver/core'
import { lengthAndText } from './varint.js'

/** The dictionary of a chunk, each entry in the bytes that ClickHouse's Native format has for it. */
export interface AttributeBytes {
  readonly leap: Uint8Array
  readonly leapNull: Uint8Array
  readonly warning: TextBytes
  readonly error: TextBytes
  /** Whether an entry fits no documented conversion. */
  readonly unfit: boolean
}

export interface TextBytes {
  /** Length and UTF-8 of each entry; one byte, 0, under a null flag. */
  readonly texts: readonly Uint8Array[]
  readonly isNull: Uint8Array
}

export function attributeBytes(dictionary: readonly Attributes[]): AttributeBytes {
  return {
    leap: Uint8Array.from(dictionary, ({ leap }) => leap ?? 0),
    leapNull: Uint8Array.from(dictionary, ({ leap }) => (leap === null ? 1 : 0)),
    warning: textBytes(dictionary.map(({ warning }) => warning)),
    error: textBytes(dictionary.map(({ error }) => error)),
    unfit: dictionary.some((entry) => unfitAttribute(entry) !== undefined),
  }
}

function textBytes(texts: (string | null)[]): TextBytes {
  return {
    texts: texts.map((text) => lengthAndText(text ?? '')),
    isNull: Uint8Array.from(texts, (text) => (text === null ? 1 : 0)),
  }
}

/** The first column of an entry whose value the archive cannot hold, and why. */
export function unfitAttribute({ leap, warning, error }: Attributes): [column: string, why: string] | undefined {
  if (leap !== null && !(Number.isInteger(leap) && leap >= 0 && leap <= 255)) return ['leap', `${leap} is not 0 to 255`]
  if (warning?.isWellFormed() === false) return ['warning', 'half a surrogate pair has no UTF-8']
  if (error?.isWellFormed() === false) return ['error', 'half a surrogate pair has no UTF-8']
  return undefined
}
