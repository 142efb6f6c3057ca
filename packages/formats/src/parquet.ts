import { type Attributes, allocateChunk, type LogScoreChunk, RowError, viewRows } from '@archiver/core'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { columnsOf, maxSignedId, schemaOf } from './parquet-columns.js'
import type { WriteBytes } from './write-bytes.js'

/** A row group is in memory as a whole: 100,000 rows take some 40 MB while they are encoded. */
const rowsPerGroup = 100_000

/**
 * Writes rows as one Parquet file, compressed with Snappy. Memory: one row group, and a little for each that was written.
 *
 * The column `id` is signed, and unsigned in a file whose first row group has an id above 2^63-1.
 *
 * @throws RowError for an id above 2^63-1 after a whole row group of smaller ones: the form is settled by then.
 */
export async function writeParquet(chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes): Promise<void> {
  const bytes = new ByteWriter(2 ** 20)
  let unsignedIds = false
  let writer: ParquetWriter | undefined
  const open = () => new ParquetWriter({ writer: bytes, schema: schemaOf(unsignedIds), createdBy: 'ntp-pool-archiver' })
  const sendAll = async () => {
    await write(bytes.getBytes())
    bytes.index = 0
  }
  for await (const group of groupsOf(chunks)) {
    const large = firstLargeId(group)
    if (writer === undefined) unsignedIds = large !== undefined
    else if (large !== undefined && !unsignedIds) throw tooLarge(large)
    writer ??= open()
    writer.write({ columnData: columnsOf(group), rowGroupSize: rowsPerGroup })
    await sendAll()
  }
  writer ??= open()
  writer.finish()
  await sendAll()
}

function firstLargeId({ id, rows }: LogScoreChunk): bigint | undefined {
  return id.subarray(0, rows).find((one) => one > maxSignedId)
}

function tooLarge(id: bigint): RowError {
  return new RowError(id, 'id', 'is beyond 2^63-1, and the file has signed ids: those before it fit', {
    hint: 'Write it to a file of its own (--from this id), or as NDJSON or CSV.',
  })
}

/** Rows of as many chunks as a row group takes. */
async function* groupsOf(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
  let group = new Group()
  for await (const chunk of chunks) {
    for (let row = 0; row < chunk.rows; ) {
      const end = Math.min(chunk.rows, row + rowsPerGroup - group.rows)
      group.add(viewRows(chunk, row, end))
      row = end
      if (group.rows < rowsPerGroup) continue
      yield group.chunk
      group = new Group(group.columns)
    }
  }
  if (group.rows > 0) yield group.chunk
}

/** A chunk that grows. */
class Group {
  readonly columns: ReturnType<typeof allocateChunk>
  readonly #dictionary: Attributes[] = []
  rows = 0

  constructor(columns = allocateChunk(rowsPerGroup)) {
    this.columns = columns
  }

  get chunk(): LogScoreChunk {
    return viewRows({ ...this.columns, rows: rowsPerGroup, dictionary: this.#dictionary }, 0, this.rows)
  }

  add(chunk: LogScoreChunk): void {
    const { columns, rows } = this
    columns.id.set(chunk.id.subarray(0, chunk.rows), rows)
    columns.monitorId.set(chunk.monitorId.subarray(0, chunk.rows), rows)
    columns.monitorIdNull.set(chunk.monitorIdNull.subarray(0, chunk.rows), rows)
    columns.serverId.set(chunk.serverId.subarray(0, chunk.rows), rows)
    columns.tsSeconds.set(chunk.tsSeconds.subarray(0, chunk.rows), rows)
    columns.score.set(chunk.score.subarray(0, chunk.rows), rows)
    columns.step.set(chunk.step.subarray(0, chunk.rows), rows)
    columns.offset.set(chunk.offset.subarray(0, chunk.rows), rows)
    columns.offsetNull.set(chunk.offsetNull.subarray(0, chunk.rows), rows)
    columns.rtt.set(chunk.rtt.subarray(0, chunk.rows), rows)
    columns.rttNull.set(chunk.rttNull.subarray(0, chunk.rows), rows)
    const before = this.#dictionary.length
    for (let row = 0; row < chunk.rows; row++) columns.attributes[rows + row] = before + chunk.attributes[row]!
    this.#dictionary.push(...chunk.dictionary)
    this.rows += chunk.rows
  }
}
