import { readFile } from 'node:fs/promises'
import { logScoreSchema } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { expect, test } from 'vitest'
import { customMetadataOf } from './stored-object.js'
import { batch } from './test-support.js'

const page = await readFile(`${import.meta.dirname}/../../../docs/archives/gcsavro.md`, 'utf8')

test('the page names every field of the record and every key of the metadata', () => {
  const contents = { digest: { rows: 1n, idSum: 1n, hashXor: 1n }, firstId: 1n, lastId: 1n, crc32c: '' }
  const keys = Object.keys(customMetadataOf(batch(1n, ordinaryRows(1)), contents))
  const fields = logScoreSchema.fields.map(({ name }) => name)
  for (const name of [...keys, ...fields]) expect(page).toContain(`\`${name}\``)
})
