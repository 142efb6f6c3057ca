import { stat } from 'node:fs/promises'
import { spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { afterAll, expect, test } from 'vitest'
import { AvroFolder, clientOf, loadOf, multipart, rowsFrom } from './test-support.js'

const files = new AvroFolder()
afterAll(() => files.remove())

test('as a process of its own it does the same, and is gone after close()', async () => {
  const fake = await spawnFakeBigQuery({ decode: 'later', projectId: 'test-project' })
  expect(fake.pid).not.toBe(process.pid)
  await fake.createDataset({ id: 'ntp' })
  await multipart(fake, { configuration: { load: loadOf('rows') } }, await files.write(rowsFrom(1, 100)))
  await fake.release()
  expect(await fake.rowsOf('ntp', 'rows')).toHaveLength(100)
  expect((await clientOf(fake).dataset('ntp').getMetadata())[0].location).toBe('US')
  await fake.close()
  await expect(stat(`/proc/${fake.pid}`)).rejects.toThrow('ENOENT')
})
