import { randomBytes } from 'node:crypto'
import { type SchemaVersion, writeLogScores } from '@archiver/avro'
import { ArchiverError, type LogScoreChunk } from '@archiver/core'
import type { WriteBytes } from './write-bytes.js'

/**
 * Writes rows as one Avro file of the record `logscore`, uncompressed: of version 2, which loses nothing, where the rows
 * come from an archive that lost nothing.
 *
 * @throws RowError for a row that the record cannot hold, ArchiverError `AVRO_VERSIONS_MIXED` for rows of both versions:
 * what was written until then is no whole file.
 */
export async function writeAvro(chunks: AsyncIterable<LogScoreChunk>, write: WriteBytes): Promise<void> {
  const rest = chunks[Symbol.asyncIterator]()
  const first = await rest.next()
  const schema = first.done ? 1 : versionOf(first.value)
  await writeLogScores(ofVersion(schema, first, rest), write, { sync: randomBytes(16), schema })
}

/** A file of version 2 says of all its rows that they are what MySQL had, one of version 1 cannot hold them. */
async function* ofVersion(
  schema: SchemaVersion,
  first: IteratorResult<LogScoreChunk>,
  rest: AsyncIterator<LogScoreChunk>,
): AsyncGenerator<LogScoreChunk> {
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      if (versionOf(next.value) !== schema) throw mixed(next.value.id[0]!, schema)
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

function versionOf({ exact }: LogScoreChunk): SchemaVersion {
  return exact === true ? 2 : 1
}

function mixed(id: bigint, schema: SchemaVersion): ArchiverError {
  return new ArchiverError(`from row ${id} on rows are not of version ${schema} of the record, as those before are`, {
    code: 'AVRO_VERSIONS_MIXED',
    hint: 'Write them to two files: up to the row before, and from this one on.',
  })
}
