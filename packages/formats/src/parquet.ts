import { type Attributes, allocateChunk, type LogScoreChunk, viewRows } from '@archiver/core'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { columnsOf, schema } from './parquet-columns.js'
import type { WriteBytes } from './write.js'

/** A row group is in memory as a whole: 100,000 rows take some 40 MB while they are encoded. */
const rowsPerGroup = 100_000

/** Writes rows as one Parquet file, compressed with Snappy. Memory: one row group, and a little for each that was written. */
export async function writeParquet(chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes): Promise<void> {
  const bytes = new ByteWriter(2 ** 20)
  const writer = new ParquetWriter({ writer: bytes, schema: [...schema], createdBy: 'ntp-pool-archiver' })
  const sendAll = async () => {
    await write(bytes.getBytes())
    bytes.index = 0
  }
  for await (const group of groupsOf(chunks)) {
    writer.write({ columnData: columnsOf(group), rowGroupSize: rowsPerGroup })
    await sendAll()
  }
  writer.finish()
  await sendAll()
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
