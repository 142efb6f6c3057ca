import type { LogScoreChunk } from '@archiver/core'
import { encodeRows, maxRowBytes, type Target } from './encode.js'
import { encodeExactRows, maxExactRowBytes } from './encode-exact.js'
import { exactLogScoreSchema, logScoreSchema, type SchemaVersion } from './schema.js'
import { type EncodeTail, encodeExactTail, encodeTail, type Tails } from './tails.js'

/** How rows of one version of the record are written. */
export interface RowFormat {
  readonly schema: unknown
  /** The longest row without its tail. */
  readonly maxRowBytes: number
  readonly encodeTail: EncodeTail
  readonly encodeRows: (chunk: LogScoreChunk, tails: Tails, from: number, to: number, target: Target) => number
  /** Whether there is a field for the warning. */
  readonly keepsWarnings: boolean
}

export const rowFormats: Readonly<Record<SchemaVersion, RowFormat>> = {
  1: { schema: logScoreSchema, maxRowBytes, encodeTail, encodeRows, keepsWarnings: false },
  2: {
    schema: exactLogScoreSchema,
    maxRowBytes: maxExactRowBytes,
    encodeTail: encodeExactTail,
    encodeRows: encodeExactRows,
    keepsWarnings: true,
  },
}
