import type { Codec } from './codec.js'
import { longBytes } from './varint.js'

/** The first bytes of an Avro container file. */
export const magic = Buffer.from('Obj\u0001', 'latin1')

export const syncBytes = 16

/** What a container file says about itself before its first block. */
export interface AvroHeader {
  /** As parsed from JSON. */
  readonly schema: unknown
  readonly codec: Codec
  /** Every entry but those whose name begins with `avro.`. */
  readonly metadata: Readonly<Record<string, string>>
  /** 16 bytes that end every block. */
  readonly sync: Uint8Array
  /** Length of the header itself. */
  readonly bytes: number
}

/** The header of a file of records of this schema. Equal arguments give equal bytes. */
export function encodeHeader(
  schema: unknown,
  codec: Codec,
  metadata: Readonly<Record<string, string>>,
  sync: Uint8Array,
): Buffer {
  const entries = Object.entries({ 'avro.schema': JSON.stringify(schema), 'avro.codec': codec, ...metadata })
  const strings = entries.flatMap(([key, value]) => [lengthAndText(key), lengthAndText(value)])
  return Buffer.concat([magic, longBytes(entries.length), ...strings, longBytes(0), sync])
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([longBytes(bytes.length), bytes])
}
