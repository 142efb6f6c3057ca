import { type FloatColumn, LOW_HALF, type LogScoreChunk, matchRow } from '@archiver/core'
import {
  type Cursor,
  cursorOf,
  Damage,
  readFloat,
  readInt,
  readIntFromZero,
  readLongFromZero,
  readNull,
  wholeSeconds,
} from './cursor.js'
import { decodeExactRows, exactTailFormat } from './decode-exact.js'
import type { DecodeTarget } from './decode-target.js'
import type { SchemaVersion } from './schema.js'
import { TailDictionary, type TailFormat, tailFormat } from './tail-dictionary.js'

/** How rows of one version of the record are read. */
interface Decoding {
  readonly tail: TailFormat
  /** Decodes so many rows; those that the filter leaves out only as far as it looks. Gives the number of rows that are left. */
  readonly rows: (cursor: Cursor, target: DecodeTarget, dictionary: TailDictionary, allRows: number) => number
  /** What a chunk says of itself. */
  readonly says: Pick<LogScoreChunk, 'exact' | 'float32'>
}

/** All numbers of version 1 of the record are. */
const float32: readonly FloatColumn[] = ['score', 'step', 'offset']

const decodings: Readonly<Record<SchemaVersion, Decoding>> = {
  1: { tail: tailFormat, rows: decodeRows, says: { float32 } },
  2: { tail: exactTailFormat, rows: decodeExactRows, says: { exact: true } },
}

/** Rows that were decoded at once. */
export interface Decoded {
  /** Those of {@link DecodeTarget.allIds} that count. */
  readonly allRows: number
  /** Without those that were left out: it may have no row. */
  readonly chunk: LogScoreChunk
}

/** Decodes the rows of one block into chunks. */
export class BlockDecoder {
  readonly #cursor: Cursor
  readonly #target: DecodeTarget
  readonly #decoding: Decoding
  #rowsLeft: number

  constructor(version: SchemaVersion, data: Buffer, rows: number, target: DecodeTarget) {
    this.#decoding = decodings[version]
    this.#cursor = cursorOf(data)
    this.#rowsLeft = rows
    this.#target = target
  }

  /** Bytes of the block's data behind the last whole row. */
  get position(): number {
    return this.#cursor.position
  }

  /** The next rows; undefined when all were given. Throws {@link Damage} where the data is not what it should be. */
  next(): Decoded | undefined {
    if (this.#rowsLeft === 0) {
      const left = this.#cursor.bytes.length - this.#cursor.position
      if (left > 0) throw new Damage(`expected the end of the block, found ${left} more bytes`)
      return undefined
    }
    const { columns } = this.#target
    const allRows = Math.min(this.#rowsLeft, columns.serverId.length)
    const dictionary = new TailDictionary(this.#decoding.tail)
    const rows = this.#decoding.rows(this.#cursor, this.#target, dictionary, allRows)
    this.#rowsLeft -= allRows
    return { allRows, chunk: { ...columns, rows, dictionary: dictionary.entries, ...this.#decoding.says } }
  }
}

/** Version 1 of the record. */
function decodeRows(
  cursor: Cursor,
  { columns, allIds, filter }: DecodeTarget,
  dictionary: TailDictionary,
  allRows: number,
): number {
  const { monitorId, monitorIdNull, serverId, tsSeconds, score, step, attributes } = columns
  const { offset, offsetNull, rtt, rttNull } = columns
  const idHalves = new Uint32Array(allIds.buffer, allIds.byteOffset, allIds.length * 2)
  monitorIdNull.fill(0, 0, allRows)
  let lastMicrosLow = -1
  let lastMicrosHigh = -1
  let lastSeconds = 0
  let row = 0
  for (let read = 0; read < allRows; read++) {
    const start = cursor.position
    readLongFromZero(cursor, 'id')
    idHalves[2 * read + LOW_HALF] = cursor.low
    idHalves[2 * read + 1 - LOW_HALF] = cursor.high
    serverId[row] = readIntFromZero(cursor, 'server_id')
    monitorId[row] = readIntFromZero(cursor, 'monitor_id')
    readLongFromZero(cursor, 'ts')
    if (cursor.low !== lastMicrosLow || cursor.high !== lastMicrosHigh) {
      lastSeconds = wholeSeconds(cursor)
      lastMicrosLow = cursor.low
      lastMicrosHigh = cursor.high
    }
    tsSeconds[row] = lastSeconds
    if (filter !== undefined && !matchRow(filter, serverId[row]!, monitorId[row]!, lastSeconds)) {
      skipRest(cursor)
    } else {
      score[row] = readFloat(cursor)
      step[row] = readFloat(cursor)
      offsetNull[row] = readNull(cursor)
      offset[row] = offsetNull[row] ? 0 : readFloat(cursor)
      rttNull[row] = readNull(cursor)
      rtt[row] = rttNull[row] ? 0 : readInt(cursor)
      attributes[row] = dictionary.read(cursor)
      if (filter !== undefined) columns.id[row] = allIds[read]!
      row++
    }
    if (cursor.position > cursor.bytes.length) {
      cursor.position = start
      throw new Damage('expected one more row, found the end of the block')
    }
  }
  return row
}

/** Passes over what follows `ts`; the same damage is found as when it is decoded. */
function skipRest(cursor: Cursor): void {
  cursor.position += 8
  if (readNull(cursor) === 0) cursor.position += 4
  if (readNull(cursor) === 0) readInt(cursor)
  tailFormat.skip(cursor)
}
