import type { LogScoreChunk } from '@archiver/core'
import { encodeCsv, encodeSpreadsheetCsv } from './csv.js'
import type { Format } from './names.js'
import { encodeNdjson } from './ndjson.js'
import type { WriteBytes } from './write-bytes.js'

/** Writes rows in one format, from the first byte to the last. Memory does not grow with the rows. */
export type WriteRows = (chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes) => Promise<void>

export interface WriteOptions {
  /** CSV: texts that a spreadsheet would take for formulas begin with an apostrophe. Default false. */
  readonly quoteFormulas?: boolean
}

/** What writes a format is imported when it is asked for. */
const writers: Readonly<Record<Format, (options: WriteOptions) => Promise<WriteRows>>> = {
  ndjson: async () => asText(encodeNdjson),
  csv: async ({ quoteFormulas }) => asText(quoteFormulas ? encodeSpreadsheetCsv : encodeCsv),
  parquet: async () => (await import('./parquet.js')).writeParquet,
  avro: async () => (await import('./avro.js')).writeAvro,
}

/** Writes rows in a format. @throws what reading the rows or writing the bytes throws; RowError where the format cannot hold a row. */
export async function writeRows(
  format: Format,
  chunks: AsyncIterable<LogScoreChunk>,
  write: WriteBytes,
  options: WriteOptions = {},
): Promise<void> {
  const writeAll = await writers[format](options)
  await writeAll(chunks, write)
}

function asText(encode: (chunks: AsyncIterable<LogScoreChunk>) => AsyncGenerator<Uint8Array>): WriteRows {
  return async (chunks, write) => {
    for await (const piece of encode(chunks)) await write(piece)
  }
}
