import { randomBytes } from 'node:crypto'
import { writeLogScores } from '@archiver/avro'
import type { LogScoreChunk } from '@archiver/core'
import type { WriteBytes } from './write.js'

/**
 * Writes rows as one Avro file of the record `logscore`, uncompressed.
 *
 * @throws RowError for a row that the record cannot hold: what was written until then is no whole file.
 */
export async function writeAvro(chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes): Promise<void> {
  await writeLogScores(chunks, write, { sync: randomBytes(16) })
}
