import { createReadStream } from 'node:fs'
import { ArchiverError, allocateChunk, errorText, type LogScoreChunk, type RowFilter } from '@archiver/core'
import { ByteReader } from './byte-reader.js'
import { type Codec, codecs, decompress, isCodec, maxBlockBytes } from './codec.js'
import { Damage } from './cursor.js'
import { BlockDecoder, type Decoded } from './decode.js'
import type { DecodeTarget } from './decode-target.js'
import { type AvroHeader, magic, syncBytes } from './header.js'
import { type SchemaVersion, schemaDifference, versionOf } from './schema.js'

/** A file's path, or the bytes of a file in pieces of any size. */
export type AvroSource = string | AsyncIterable<Uint8Array>

/** Which rows of a file are wanted. */
export interface RowSelection {
  /** What does not match is left out, and decoded no further than it takes to see that. */
  readonly filter?: RowFilter | undefined
  /** Told the ids of all rows before each chunk, also of those left out; false ends the reading there. Valid until it returns. */
  readonly onIds?: ((ids: BigUint64Array) => boolean) | undefined
}

export interface ReadOptions extends RowSelection {
  /** Most rows in a chunk; default 10,000. */
  readonly rowsPerChunk?: number
  /** What errors call the file; default its path, or `the Avro stream`. */
  readonly name?: string
}

/**
 * Reads the header and nothing else. The schema need not be ours.
 *
 * @throws ArchiverError `AVRO_NOT_A_FILE`, `AVRO_TRUNCATED`, `AVRO_CODEC_UNKNOWN`; what opening the file throws.
 */
export async function readAvroHeader(source: AvroSource, options: ReadOptions = {}): Promise<AvroHeader> {
  const reader = new ContainerReader(source, options, headerBytes)
  try {
    return await reader.header()
  } finally {
    await reader.close()
  }
}

/**
 * Streams the rows of an Avro file of the record `logscore`, whichever version, codec and program it is from. Memory: one block,
 * one chunk. A chunk is valid until the next is asked for. Of version 1 warnings are null: it has none; version 2 is `exact`.
 *
 * @throws ArchiverError as {@link readAvroHeader}; `AVRO_SCHEMA_FOREIGN` where the record is another one;
 * `AVRO_TRUNCATED`, `AVRO_DAMAGED` with the byte at which, and the number of rows after which, something else was
 * expected. The rows before it have been given.
 */
export async function* readLogScores(source: AvroSource, options: ReadOptions = {}): AsyncGenerator<LogScoreChunk> {
  const reader = new ContainerReader(source, options)
  try {
    const header = await reader.header()
    const version = versionOf(header.schema)
    if (version === undefined) {
      throw reader.error('AVRO_SCHEMA_FOREIGN', `is not of the record logscore: ${schemaDifference(header.schema)}`)
    }
    yield* reader.rows(version, header, options)
  } finally {
    await reader.close()
  }
}

const maxHeaderTextBytes = 2 ** 20
/** A little more than a header has: of a file of which nothing else is wanted, nothing else is read. */
const headerBytes = 4096

class ContainerReader {
  readonly #bytes: ByteReader
  readonly #name: string
  #rows = 0

  /** @param highWaterMark - bytes that are read from a file at once. */
  constructor(source: AvroSource, { name }: ReadOptions, highWaterMark = 65_536) {
    const isPath = typeof source === 'string'
    this.#name = name ?? (isPath ? source : 'the Avro stream')
    this.#bytes = new ByteReader(isPath ? createReadStream(source, { highWaterMark }) : source)
  }

  close(): Promise<void> {
    return this.#bytes.close()
  }

  error(code: string, what: string, cause?: unknown): ArchiverError {
    return new ArchiverError(`${this.#name} ${what}`, { code, ...(cause === undefined ? {} : { cause }) })
  }

  async header(): Promise<AvroHeader> {
    const start = await this.#bytes.take(magic.length)
    if (!start.equals(magic)) {
      const found = start.length === 0 ? 'nothing' : `the bytes ${start.toString('hex')}`
      throw this.error('AVRO_NOT_A_FILE', `is not an Avro file: expected it to begin with "Obj" and 01, found ${found}`)
    }
    const entries = await this.#headerEntries()
    const sync = Buffer.from(await this.#take(syncBytes, 'the sync marker'))
    const schema = this.#parseSchema(entries.get('avro.schema'))
    const codec = this.#codecOf(entries.get('avro.codec'))
    const metadata = Object.fromEntries([...entries].filter(([key]) => !key.startsWith('avro.')))
    return { schema, codec, metadata, sync, bytes: this.#bytes.position }
  }

  async *rows(
    version: SchemaVersion,
    { codec, sync }: AvroHeader,
    options: ReadOptions,
  ): AsyncGenerator<LogScoreChunk> {
    const target = targetOf(options)
    for (let block = await this.#block(codec, sync); block; block = await this.#block(codec, sync)) {
      const decoder = new BlockDecoder(version, block.data, block.rows, target)
      for (let next = this.#decode(decoder, block, codec); next; next = this.#decode(decoder, block, codec)) {
        const goesOn = options.onIds?.(target.allIds.subarray(0, next.allRows)) ?? true
        if (next.chunk.rows > 0) yield next.chunk
        if (!goesOn) return
        this.#rows += next.allRows
      }
    }
  }

  #decode(decoder: BlockDecoder, block: EncodedBlock, codec: Codec): Decoded | undefined {
    try {
      return decoder.next()
    } catch (thrown) {
      if (!(thrown instanceof Damage)) throw thrown
      if (codec === 'null') throw this.#damaged(block.start + decoder.position, thrown.message)
      throw this.#damaged(block.start, `${thrown.message} (byte ${decoder.position} of the block's data)`)
    }
  }

  /** The next block, decompressed; undefined at the end of the file. */
  async #block(codec: Codec, sync: Uint8Array): Promise<EncodedBlock | undefined> {
    const rows = await this.#long('the number of rows of a block', true)
    if (rows === undefined) return undefined
    const size = await this.#long('the size of a block')
    if (rows < 0 || size < 0 || size > maxBlockBytes) {
      throw this.#damaged(this.#bytes.position, `expected a block, found one of ${rows} rows and ${size} bytes`)
    }
    const start = this.#bytes.position
    const bytes = await this.#bytes.take(size + syncBytes)
    if (bytes.length < size) throw this.#short(start, `a block of ${rows} rows`, size, bytes.length)
    const marker = bytes.subarray(size)
    if (marker.length < syncBytes) throw this.#short(start + size, 'the sync marker', syncBytes, marker.length)
    if (!marker.equals(sync)) {
      throw this.#damaged(start + size, `expected the sync marker ${hex(sync)}, found ${hex(marker)}`)
    }
    return { start, rows, data: await this.#decompress(codec, bytes.subarray(0, size), start) }
  }

  async #decompress(codec: Codec, raw: Buffer, start: number): Promise<Buffer> {
    try {
      return await decompress(codec, raw)
    } catch (thrown) {
      throw this.#damaged(start, `expected a block compressed with ${codec}, found none: ${errorText(thrown)}`, thrown)
    }
  }

  async #headerEntries(): Promise<Map<string, string>> {
    const entries = new Map<string, string>()
    for (let count = await this.#long('the header'); count !== 0; count = await this.#long('the header')) {
      if (count < 0) await this.#long('the header')
      for (let i = 0; i < Math.abs(count); i++) entries.set(await this.#text(), await this.#text())
    }
    return entries
  }

  async #text(): Promise<string> {
    const length = await this.#long('the header')
    if (length < 0 || length > maxHeaderTextBytes) {
      throw this.#damaged(this.#bytes.position, `expected a text of the header, found a length of ${length}`)
    }
    return (await this.#take(length, 'the header')).toString()
  }

  #parseSchema(text: string | undefined): unknown {
    try {
      return JSON.parse(text ?? '')
    } catch (thrown) {
      throw this.error('AVRO_NOT_A_FILE', `is not an Avro file: its header holds no schema in JSON`, thrown)
    }
  }

  #codecOf(name = 'null'): Codec {
    if (isCodec(name)) return name
    throw this.error('AVRO_CODEC_UNKNOWN', `has the codec ${name}; known are ${codecs.join(', ')}`)
  }

  async #take(length: number, what: string): Promise<Buffer> {
    const start = this.#bytes.position
    const bytes = await this.#bytes.take(length)
    if (bytes.length === length) return bytes
    throw this.#short(start, what, length, bytes.length)
  }

  async #long(what: string): Promise<number>
  async #long(what: string, mayEnd: true): Promise<number | undefined>
  async #long(what: string, mayEnd = false): Promise<number | undefined> {
    const start = this.#bytes.position
    let zigzag = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = (await this.#bytes.take(1))[0]
      if (byte === undefined && shift === 0n && mayEnd) return undefined
      if (byte === undefined) throw this.#truncated(start, `${what}, found the end of the file`)
      zigzag |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n)
    }
    throw this.#damaged(start, `expected ${what}, found a number of more than 64 bits`)
  }

  #short(at: number, what: string, length: number, found: number): ArchiverError {
    return this.#truncated(at, `${what} (${length} bytes), found only ${found}`)
  }

  #truncated(at: number, expected: string): ArchiverError {
    return this.error('AVRO_TRUNCATED', `is truncated: at byte ${at}, after ${this.#rows} rows, expected ${expected}`)
  }

  #damaged(at: number, what: string, cause?: unknown): ArchiverError {
    return this.error('AVRO_DAMAGED', `is damaged: at byte ${at}, after ${this.#rows} rows, ${what}`, cause)
  }
}

function targetOf({ rowsPerChunk = 10_000, filter }: ReadOptions): DecodeTarget {
  const columns = allocateChunk(rowsPerChunk)
  return { columns, filter, allIds: filter === undefined ? columns.id : new BigUint64Array(rowsPerChunk) }
}

interface EncodedBlock {
  /** Where its bytes begin in the file. */
  readonly start: number
  readonly rows: number
  readonly data: Buffer
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
