import type { allocateChunk, LogScoreChunk } from '@archiver/core'
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
import type { SchemaVersion } from './schema.js'
import { TailDictionary, type TailFormat, tailFormat } from './tail-dictionary.js'
import { lowHalf } from './varint.js'

type Columns = ReturnType<typeof allocateChunk>

/** How rows of one version of the record are read. */
interface Decoding {
  readonly tail: TailFormat
  readonly rows: (cursor: Cursor, columns: Columns, dictionary: TailDictionary, rows: number) => void
  /** What a chunk says of itself. */
  readonly says: Pick<LogScoreChunk, 'exact'>
}

const decodings: Readonly<Record<SchemaVersion, Decoding>> = {
  1: { tail: tailFormat, rows: decodeRows, says: {} },
  2: { tail: exactTailFormat, rows: decodeExactRows, says: { exact: true } },
}

/** Decodes the rows of one block into chunks. */
export class BlockDecoder {
  readonly #cursor: Cursor
  readonly #columns: Columns
  readonly #decoding: Decoding
  #rowsLeft: number

  constructor(version: SchemaVersion, data: Buffer, rows: number, columns: Columns) {
    this.#decoding = decodings[version]
    this.#cursor = cursorOf(data)
    this.#rowsLeft = rows
    this.#columns = columns
  }

  /** Bytes of the block's data behind the last whole row. */
  get position(): number {
    return this.#cursor.position
  }

  /** The next rows; undefined when all were given. Throws {@link Damage} where the data is not what it should be. */
  next(): LogScoreChunk | undefined {
    if (this.#rowsLeft === 0) {
      const left = this.#cursor.bytes.length - this.#cursor.position
      if (left > 0) throw new Damage(`expected the end of the block, found ${left} more bytes`)
      return undefined
    }
    const rows = Math.min(this.#rowsLeft, this.#columns.serverId.length)
    const dictionary = new TailDictionary(this.#decoding.tail)
    this.#decoding.rows(this.#cursor, this.#columns, dictionary, rows)
    this.#rowsLeft -= rows
    return { ...this.#columns, rows, dictionary: dictionary.entries, ...this.#decoding.says }
  }
}

/** Version 1 of the record. */
function decodeRows(cursor: Cursor, columns: Columns, dictionary: TailDictionary, rows: number): void {
  const { id, monitorId, monitorIdNull, serverId, tsSeconds, score, step, attributes } = columns
  const { offset, offsetNull, rtt, rttNull } = columns
  const idHalves = new Uint32Array(id.buffer, id.byteOffset, id.length * 2)
  monitorIdNull.fill(0, 0, rows)
  let lastMicrosLow = -1
  let lastMicrosHigh = -1
  let lastSeconds = 0
  for (let row = 0; row < rows; row++) {
    const start = cursor.position
    readLongFromZero(cursor, 'id')
    idHalves[2 * row + lowHalf] = cursor.low
    idHalves[2 * row + 1 - lowHalf] = cursor.high
    serverId[row] = readIntFromZero(cursor, 'server_id')
    monitorId[row] = readIntFromZero(cursor, 'monitor_id')
    readLongFromZero(cursor, 'ts')
    if (cursor.low !== lastMicrosLow || cursor.high !== lastMicrosHigh) {
      lastSeconds = wholeSeconds(cursor)
      lastMicrosLow = cursor.low
      lastMicrosHigh = cursor.high
    }
    tsSeconds[row] = lastSeconds
    score[row] = readFloat(cursor)
    step[row] = readFloat(cursor)
    offsetNull[row] = readNull(cursor)
    offset[row] = offsetNull[row] ? 0 : readFloat(cursor)
    rttNull[row] = readNull(cursor)
    rtt[row] = rttNull[row] ? 0 : readInt(cursor)
    attributes[row] = dictionary.read(cursor)
    if (cursor.position > cursor.bytes.length) {
      cursor.position = start
      throw new Damage('expected one more row, found the end of the block')
    }
  }
}
