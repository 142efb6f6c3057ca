import { readFile } from 'node:fs/promises'
import { archivedRow, readLogScores, writeLogScores } from '@archiver/avro'
import { type ArchiveFiles, describeReader, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, type LogScore, type ReadableArchiver } from '@archiver/core'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { beforeEach, describe, expect, test } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import {
  batch,
  bytesOf,
  goFile,
  goRows,
  impatient,
  opened,
  pieces,
  proxyTo,
  putObject,
  removeObject,
  removeObjects,
  resourcesIn,
  rowsIn,
  rowsOf,
  store,
  table,
} from './test-support.js'

const everything = { afterId: 0n, upToId: 2n ** 63n - 1n }
const { signal } = new AbortController()

function read({ reader }: ReadableArchiver, range = everything): Promise<LogScore[]> {
  return rowsOf(reader.read(table, range, signal))
}

await describeWithFakeGcs('a bucket', (bucket) => {
  const files: ArchiveFiles = {
    names: async (of) =>
      (await resourcesIn(bucket)).map(({ name }) => name).filter((name) => name.startsWith(`${of}/`)),
    read: (_, name) => bytesOf(bucket, name),
    async write(_, name, bytes) {
      const before = (await resourcesIn(bucket)).find((object) => object.name === name)
      await putObject(bucket, name, bytes, before?.metadata)
    },
    remove: (_, name) => removeObject(bucket, name),
  }
  describeReader('gcsavro', {
    open: async () =>
      createGcsAvroArchiver({
        bucket: bucket.name,
        emulatorHost: bucket.server.url,
        rowsPerBlock: 30,
        patience: impatient,
      }),
    read: (of) => rowsIn(bucket, `${of}/`),
    convert: archivedRow,
    async tamper(of, edit) {
      for (const name of await files.names(of)) {
        const rows = await rowsOf(readLogScores(pieces(await bytesOf(bucket, name))))
        await files.write(of, name, await avroOf(rows.flatMap(edit)))
      }
    },
    files,
  })

  describe('with objects of the former program', () => {
    beforeEach(() => removeObjects(bucket))

    test('gives their rows, those of the range alone, and knows which are gone', async () => {
      await putObject(bucket, '2026/1792454400-1000001.avro', await readFile(goFile))
      const archiver = await opened(bucket)
      const rows = await goRows()
      expect(await read(archiver)).toEqual(rows)
      const range = { afterId: rows[9]!.id, upToId: rows[19]!.id }
      expect(await read(archiver, range)).toEqual(rows.slice(10, 20))
      const names = ['2026/1792454400-1000001.avro', '2026/1-1.avro, 2026/2-2.avro', '']
      expect(await archiver.reader.missingFiles!(table, names, signal)).toEqual(['2026/1-1.avro', '2026/2-2.avro'])
    })

    test('passes over what is none: other names, other folders, other tables', async () => {
      const rows = ordinaryRows(5)
      const archiver = await opened(bucket)
      await store(archiver, batch(1n, rows, { table: 'another' }), rows)
      for (const name of ['notes.txt', '2026/notes.txt', 'bq-spool/1-1.avro', '2026/x/1-1.avro', '12/1-1.avro']) {
        await putObject(bucket, name, Buffer.from('x'))
      }
      expect(await read(archiver)).toEqual([])
    })
  })

  test('objects that cannot hold a row of the range are not read', async () => {
    await removeObjects(bucket)
    const rows = ordinaryRows(300)
    const writer = await opened(bucket)
    for (const at of [0, 100, 200]) {
      const some = rows.slice(at, at + 100)
      await store(writer, batch(BigInt(at + 1), some), some)
    }
    const proxy = await proxyTo(bucket)
    const archiver = await opened(bucket, { emulatorHost: proxy.url })
    const found = await read(archiver, { afterId: rows[129]!.id, upToId: rows[169]!.id })
    expect(found).toEqual(rows.slice(130, 170).map(archivedRow))
    expect(proxy.requests.filter(({ step }) => step === 'read')).toHaveLength(1)
  })
})

async function avroOf(rows: readonly LogScore[]): Promise<Buffer> {
  const parts: Buffer[] = []
  const write = async (bytes: Uint8Array) => parts.push(Buffer.from(bytes))
  await writeLogScores(chunksFromRows(rows), write, { sync: Buffer.alloc(16), rowsPerBlock: 30 })
  return Buffer.concat(parts)
}
