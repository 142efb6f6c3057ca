import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow, codecs, exactRow, readLogScores } from '@archiver/avro'
import { describeArchiver } from '@archiver/conformance'
import { type LogScore, rowsFromChunk } from '@archiver/core'
import { afterAll, beforeAll } from 'vitest'
import { createFileAvroArchiver } from './file-avro-archiver.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-avro-conformance-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function readFolder(path: string): Promise<LogScore[]> {
  const rows: LogScore[] = []
  for (const name of await readdir(path)) {
    for await (const chunk of readLogScores(join(path, name))) rows.push(...rowsFromChunk(chunk))
  }
  return rows
}

for (const codec of codecs) {
  describeArchiver(`file Avro with codec ${codec}`, {
    open: async (table) =>
      createFileAvroArchiver({ path: join(folder, `${table}-${codec}`), createPath: true, codec, rowsPerBlock: 100 }),
    read: (table) => readFolder(join(folder, `${table}-${codec}`)),
    convert: archivedRow,
    wholeBatches: true,
  })
}

describeArchiver('file Avro that loses nothing', {
  open: async (table) =>
    createFileAvroArchiver({ path: join(folder, `${table}-exact`), createPath: true, schema: 2, rowsPerBlock: 100 }),
  read: (table) => readFolder(join(folder, `${table}-exact`)),
  convert: exactRow,
  wholeBatches: true,
})
