import { randomUUID } from 'node:crypto'
import { archivedRow } from '@archiver/avro'
import { describeArchiver, ordinaryRows } from '@archiver/conformance'
import type { LogScore } from '@archiver/core'
import { Storage } from '@google-cloud/storage'
import { afterAll, describe, expect, test } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import { batch, rowsOf, store, stored } from './test-support.js'

/** Run by `npm run test:live` alone, against the real service. */
const { GCS_LIVE_BUCKET: bucket = '', GCS_LIVE_USER_PROJECT: userProject = '' } = process.env
const run = `live_${randomUUID().replaceAll('-', '')}`

describe.skipIf(!bucket)('Cloud Storage itself (GCS_LIVE_BUCKET)', () => {
  const open = (options = {}) => createGcsAvroArchiver({ bucket, userProject, ...options })
  const everything = { afterId: 0n, upToId: 2n ** 63n - 1n }
  const tables = new Set<string>()

  async function read(table: string): Promise<LogScore[]> {
    return rowsOf(open().reader.read(table, everything, new AbortController().signal))
  }

  afterAll(async () => {
    const files = new Storage().bucket(bucket, userProject ? { userProject } : {})
    for (const table of tables) await files.deleteFiles({ prefix: `${table}/` })
  })

  for (const resumableFromBytes of [1, 2 ** 30]) {
    describeArchiver(`objects from ${resumableFromBytes} bytes on resumable`, {
      // The suite makes up its tables' names, which nothing else has.
      open: async (table) => {
        tables.add(table)
        return open({ resumableFromBytes, rowsPerBlock: 100 })
      },
      read,
      convert: archivedRow,
      wholeBatches: true,
    })
  }

  test('an object of several megabytes, in both ways', async () => {
    const rows = ordinaryRows(200_000)
    for (const resumableFromBytes of [1, 2 ** 30]) {
      const table = `${run}_${resumableFromBytes}`
      tables.add(table)
      const planned = batch(1n, rows, { table })
      const archiver = open({ resumableFromBytes })
      const result = await store(archiver, planned, rows)
      expect(await stored(archiver, planned, rows)).toEqual({ kind: 'all', result })
      expect(await read(table)).toEqual(rows.map(archivedRow))
    }
  })
})
