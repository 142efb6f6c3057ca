import type { LogScoreChunk } from '@archiver/core'
import { maxInt, refuseDouble, refuseId } from './convert.js'
import { encodeTs, noTs, type Target, writeTail } from './encode.js'
import type { Tails } from './tails.js'
import { writeLong, writeVarint, zigzag } from './varint.js'

/** Without its tail, no row is longer: id 10, server 5, monitor 6, ts 8, doubles 8 + 8 + 9, rtt 6, written ahead 4. */
export const maxExactRowBytes = 64

/**
 * As `encodeRows`, in version 2 of the record. A function of its own, so that version 1 pays for nothing of this.
 *
 * @throws RowError for an id beyond the longs of Avro, and a number that is none.
 */
export function encodeExactRows(chunk: LogScoreChunk, tails: Tails, from: number, to: number, target: Target): number {
  const { bytes, view } = target
  const { monitorId, monitorIdNull, serverId, tsSeconds, score, step, offset, offsetNull, rtt, rttNull } = chunk
  const { attributes } = chunk
  const idHalves = new Uint32Array(chunk.id.buffer, chunk.id.byteOffset, chunk.id.length * 2)
  const ts = noTs()
  const limit = bytes.length - maxExactRowBytes - tails.longest
  let at = target.position
  let row = from
  for (; row < to && at <= limit; row++) {
    // Node runs on little-endian machines only: the low half comes first.
    const high = idHalves[2 * row + 1]!
    if (high > maxInt) refuseId(chunk.id[row]!)
    at = writeLong(target, at, idHalves[2 * row]!, high)
    at = writeLong(target, at, serverId[row]!, 0)
    if (monitorIdNull[row] !== 0) {
      bytes[at++] = 0
    } else {
      bytes[at] = 2
      at = writeLong(target, at + 1, monitorId[row]!, 0)
    }

    if (tsSeconds[row]! !== ts.seconds) encodeTs(ts, tsSeconds[row]!)
    view.setUint32(at, ts.low, true)
    view.setUint32(at + 4, ts.high, true)
    at += ts.length

    if (!isFinite64(score[row]!)) refuseDouble(chunk.id[row]!, 'score', score[row]!)
    view.setFloat64(at, score[row]!, true)
    if (!isFinite64(step[row]!)) refuseDouble(chunk.id[row]!, 'step', step[row]!)
    view.setFloat64(at + 8, step[row]!, true)
    at += 16

    if (offsetNull[row] !== 0) {
      bytes[at++] = 0
    } else {
      if (!isFinite64(offset[row]!)) refuseDouble(chunk.id[row]!, 'offset', offset[row]!)
      bytes[at] = 2
      view.setFloat64(at + 1, offset[row]!, true)
      at += 9
    }

    if (rttNull[row] !== 0) {
      bytes[at++] = 0
    } else {
      bytes[at] = 2
      at = writeVarint(bytes, at + 1, zigzag(rtt[row]!))
    }

    at = writeTail(target, at, tails, attributes[row]!)
  }
  target.position = at
  return row
}

function isFinite64(value: number): boolean {
  return value - value === 0
}
