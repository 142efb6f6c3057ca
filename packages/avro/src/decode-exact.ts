import { LOW_HALF, matchRow } from '@archiver/core'
import {
  type Cursor,
  Damage,
  readDouble,
  readInt,
  readLongFromZero,
  readNull,
  readNullableText,
  readUnsigned,
  skipNullableText,
  wholeSeconds,
} from './cursor.js'
import type { DecodeTarget } from './decode-target.js'
import type { TailDictionary, TailFormat } from './tail-dictionary.js'

/** Version 2: leap, error, warning, the text of the column, the version. */
export const exactTailFormat: TailFormat = {
  skip(cursor) {
    if (readNull(cursor) === 0) readInt(cursor)
    for (const field of ['error', 'warning', 'attributes']) skipNullableText(cursor, field)
    readVersion(cursor)
  },
  decode(cursor) {
    const leap = readNull(cursor) ? null : readInt(cursor)
    const error = readNullableText(cursor, 'error')
    const warning = readNullableText(cursor, 'warning')
    return { leap, error, warning, json: readNullableText(cursor, 'attributes') }
  },
  emptyBytes: 6,
  empty: { leap: null, error: null, warning: null, json: null },
}

function readVersion(cursor: Cursor): void {
  const version = readNull(cursor) ? null : readInt(cursor)
  if (version !== 2 && cursor.position <= cursor.bytes.length) {
    throw new Damage(`expected schema_version to be 2, found ${version}`)
  }
}

/** Version 2 of the record. A function of its own, so that version 1 pays for nothing of this. @returns the rows that are left. */
export function decodeExactRows(
  cursor: Cursor,
  { columns, allIds, filter }: DecodeTarget,
  dictionary: TailDictionary,
  allRows: number,
): number {
  const { monitorId, monitorIdNull, serverId, tsSeconds, score, step, attributes } = columns
  const { offset, offsetNull, rtt, rttNull } = columns
  const idHalves = new Uint32Array(allIds.buffer, allIds.byteOffset, allIds.length * 2)
  let row = 0
  for (let read = 0; read < allRows; read++) {
    const start = cursor.position
    readLongFromZero(cursor, 'id')
    idHalves[2 * read + LOW_HALF] = cursor.low
    idHalves[2 * read + 1 - LOW_HALF] = cursor.high
    serverId[row] = readUnsigned(cursor, 'server_id')
    monitorIdNull[row] = readNull(cursor)
    monitorId[row] = monitorIdNull[row] ? 0 : readUnsigned(cursor, 'monitor_id')
    readLongFromZero(cursor, 'ts')
    tsSeconds[row] = wholeSeconds(cursor)
    if (filter !== undefined && !matchRow(filter, serverId[row]!, monitorId[row]!, tsSeconds[row]!)) {
      skipRest(cursor)
    } else {
      score[row] = readDouble(cursor)
      step[row] = readDouble(cursor)
      offsetNull[row] = readNull(cursor)
      offset[row] = offsetNull[row] ? 0 : readDouble(cursor)
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
  cursor.position += 16
  if (readNull(cursor) === 0) cursor.position += 8
  if (readNull(cursor) === 0) readInt(cursor)
  exactTailFormat.skip(cursor)
}
