import { type FileHandle, open } from 'node:fs/promises'
import { invalid } from './api-error.js'

/** What the container file says of itself, without decoding a row. */
export interface AvroContainer {
  readonly schema: unknown
  readonly rows: number
  readonly bytes: number
}

/**
 * Reads the header and the counts of the blocks; the rows themselves are skipped, so it takes milliseconds whatever the
 * size. The format: https://avro.apache.org/docs/1.11.1/specification/#object-container-files
 *
 * @throws ApiError `invalid`, worded as BigQuery's, for what is no whole container file.
 */
export async function readContainer(path: string): Promise<AvroContainer> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const header = await readHeader(file)
    return { schema: header.schema, rows: await countRows(file, header, size), bytes: size }
  } finally {
    await file.close()
  }
}

interface Header {
  readonly schema: unknown
  readonly sync: Buffer
  readonly endsAt: number
}

const syncBytes = 16
/** Two varints of at most ten bytes. */
const blockHeaderBytes = 20
const maxHeaderBytes = 1 << 20

async function readHeader(file: FileHandle): Promise<Header> {
  const bytes = await readAt(file, 0, maxHeaderBytes)
  if (bytes.toString('latin1', 0, 4) !== 'Obj\x01') throw badHeader('Invalid data file. Magic does not match')
  const cursor = new Cursor(bytes, 4)
  const metadata = readMetadata(cursor)
  const schema = metadata.get('avro.schema')
  if (schema === undefined) throw badHeader('No schema in metadata')
  return { schema: JSON.parse(schema.toString()), sync: cursor.take(syncBytes), endsAt: cursor.at }
}

function readMetadata(cursor: Cursor): Map<string, Buffer> {
  const metadata = new Map<string, Buffer>()
  for (;;) {
    let entries = cursor.long()
    if (entries === 0) return metadata
    if (entries < 0) cursor.long()
    for (entries = Math.abs(entries); entries > 0; entries--) {
      const key = cursor.take(cursor.long()).toString()
      metadata.set(key, cursor.take(cursor.long()))
    }
  }
}

async function countRows(file: FileHandle, header: Header, size: number): Promise<number> {
  let rows = 0
  let at = header.endsAt
  while (at < size) {
    const cursor = new Cursor(await readAt(file, at, blockHeaderBytes), 0)
    rows += cursor.long()
    const length = cursor.long()
    const endsAt = at + cursor.at + length
    if (!(await readAt(file, endsAt, syncBytes)).equals(header.sync)) throw badData('Sync mismatch')
    at = endsAt + syncBytes
  }
  return rows
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

class Cursor {
  at: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.at, this.at + length)
    if (length < 0 || taken.length < length) throw badData('EOF reached')
    this.at += length
    return taken
  }

  /** A zigzag varint; counts and lengths here are far below 2^53. */
  long(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.take(1)[0]!
      value += (byte & 127) * scale
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
}

function badHeader(what: string) {
  return invalid(
    `Error while reading data, error message: The Apache Avro library failed to parse the header with the following error: ${what}`,
  )
}

function badData(what: string) {
  return invalid(
    `Error while reading data, error message: The Apache Avro library failed to read data with the following error: ${what}`,
  )
}
