import { ArchiverError, type LogScoreChunk } from '@archiver/core'
import { Block } from './block.js'
import type { Codec } from './codec.js'
import { encodeHeader, syncBytes } from './header.js'
import { type RowFormat, rowFormats } from './row-format.js'
import type { SchemaVersion } from './schema.js'
import { encodeTails } from './tails.js'

export interface WriteOptions {
  /** Default `null`. */
  readonly codec?: Codec
  /** Which version of the record. Default 1. */
  readonly schema?: SchemaVersion
  /** At least 1; default 50,000. A block also ends before it exceeds 4 MiB of data. */
  readonly rowsPerBlock?: number
  /** Entries for the file's header; names beginning with `avro.` are Avro's own. */
  readonly metadata?: Readonly<Record<string, string>>
  /** The 16 bytes between blocks. Equal rows, options and sync marker give equal files. */
  readonly sync: Uint8Array
}

/** Takes bytes in order, one call at a time. The bytes may be used for something else once the promise is resolved. */
export type WriteBytes = (bytes: Uint8Array) => Promise<unknown>

/** What was written. */
export interface Written {
  readonly rows: number
  /** Of the whole file. */
  readonly bytes: number
  /** The first row; absent where there was none. */
  readonly first?: { readonly id: bigint; readonly tsSeconds: number }
  /** Rows whose warning was left out: version 1 of the record has no field for it. */
  readonly warningsDropped: number
  /** What this thread spent on encoding, in milliseconds; without compression, which others do. */
  readonly encodeMs: number
}

/**
 * Writes chunks as one Avro container file. While a block is written, or blocks are compressed by other threads, the next
 * one is encoded; at most four are in memory, whatever the number of rows.
 *
 * @throws RowError for a row that fits no documented conversion; what was written until then is no whole file.
 */
export async function writeLogScores(
  chunks: AsyncIterable<LogScoreChunk>,
  write: WriteBytes,
  options: WriteOptions,
): Promise<Written> {
  const writer = new Writer(write, options)
  try {
    for await (const chunk of chunks) await writer.add(chunk)
    return await writer.end()
  } finally {
    await writer.settled()
  }
}

interface Slot {
  readonly block: Block
  /** Resolved when the block's memory is free. */
  free: Promise<void>
}

class Writer {
  readonly #write: WriteBytes
  readonly #codec: Codec
  readonly #format: RowFormat
  readonly #rowsPerBlock: number
  readonly #sync: Uint8Array
  readonly #slots: Slot[]
  #blocks = 0
  #current: Slot | undefined
  /** The end of the queue of writes. Once one fails, so do all after it. */
  #queue: Promise<void>
  #rows = 0
  #bytes = 0
  #warningsDropped = 0
  #encodeMs = 0
  #first: Written['first']

  constructor(write: WriteBytes, options: WriteOptions) {
    const { schema = 1, codec = 'null', rowsPerBlock = 50_000, metadata = {}, sync } = options
    if (sync.length !== syncBytes || !(rowsPerBlock >= 1)) {
      const message = `a sync marker has 16 bytes, not ${sync.length}; rowsPerBlock is at least 1, not ${rowsPerBlock}`
      throw new ArchiverError(message, { code: 'AVRO_OPTIONS' })
    }
    this.#write = write
    this.#codec = codec
    this.#format = rowFormats[schema]
    this.#rowsPerBlock = rowsPerBlock
    this.#sync = sync
    // Uncompressed, one block is filled while one is written; else as many are compressed as the pool has threads.
    this.#slots = Array.from({ length: codec === 'null' ? 2 : 4 }, () => ({
      block: new Block(),
      free: Promise.resolve(),
    }))
    const header = encodeHeader(this.#format.schema, codec, metadata, sync)
    this.#queue = this.#enqueue(Promise.resolve(header), Promise.resolve())
  }

  async add(chunk: LogScoreChunk): Promise<void> {
    this.#first ??= { id: chunk.id[0]!, tsSeconds: chunk.tsSeconds[0]! }
    const { encodeRows, encodeTail, maxRowBytes, keepsWarnings } = this.#format
    if (!keepsWarnings) this.#warningsDropped += countWarnings(chunk)
    const tails = encodeTails(chunk.dictionary, encodeTail)
    let row = 0
    while (row < chunk.rows) {
      this.#current ??= await this.#nextSlot()
      const { block } = this.#current
      const upTo = Math.min(chunk.rows, row + this.#rowsPerBlock - block.rows)
      const startedMs = performance.now()
      const end = encodeRows(chunk, tails, row, upTo, block.target)
      this.#encodeMs += performance.now() - startedMs
      block.rows += end - row
      row = end
      if (block.rows === 0) block.growFor(maxRowBytes + tails.longest)
      else if (end < upTo || block.rows === this.#rowsPerBlock) this.#flush()
    }
    this.#rows += chunk.rows
  }

  async end(): Promise<Written> {
    this.#flush()
    await this.#queue
    const first = this.#first ? { first: this.#first } : {}
    const encodeMs = this.#encodeMs
    return { rows: this.#rows, bytes: this.#bytes, ...first, warningsDropped: this.#warningsDropped, encodeMs }
  }

  /** Waits for everything under way, however it ends. */
  async settled(): Promise<void> {
    await this.#queue.catch(() => {})
  }

  async #nextSlot(): Promise<Slot> {
    const slot = this.#slots[this.#blocks++ % this.#slots.length]!
    await slot.free
    slot.block.clear()
    return slot
  }

  #flush(): void {
    const slot = this.#current
    if (!slot) return
    this.#current = undefined
    this.#queue = slot.free = this.#enqueue(slot.block.finish(this.#codec, this.#sync), this.#queue)
  }

  #enqueue(bytes: Promise<Uint8Array>, turn: Promise<void>): Promise<void> {
    const sent = Promise.allSettled([turn, bytes]).then(() => this.#send(bytes, turn))
    // Whoever waits for the slot or the end hears of a failure; until then it must not count as unhandled.
    sent.catch(() => {})
    return sent
  }

  async #send(bytes: Promise<Uint8Array>, turn: Promise<void>): Promise<void> {
    await turn
    const block = await bytes
    await this.#write(block)
    this.#bytes += block.length
  }
}

function countWarnings({ rows, attributes, dictionary }: LogScoreChunk): number {
  const dropped = dictionary.map(({ warning }) => warning !== null)
  if (!dropped.includes(true)) return 0
  return attributes.subarray(0, rows).reduce((count, entry) => count + (dropped[entry] ? 1 : 0), 0)
}
