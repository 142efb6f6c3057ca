import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import { impatient, testFolder } from './test-support.js'

/** Cloud Storage with an empty bucket that has these rules: the emulator knows none. `status` is that of its settings. */
async function archiverOn(rules: readonly object[], status = 200, acceptExpiry = false) {
  const server = createServer((incoming, response) => {
    incoming.resume()
    const isList = incoming.url?.includes('/o?')
    const answer = isList ? { kind: 'storage#objects' } : { kind: 'storage#bucket', lifecycle: { rule: rules } }
    const error = { error: { code: status, message: 'denied', errors: [{ reason: 'forbidden' }] } }
    const refused = !isList && status !== 200
    response.writeHead(refused ? status : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refused ? error : answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // a listening TCP server has one
  const emulatorHost = `http://127.0.0.1:${port}`
  const place = { bucket: 'scores', emulatorHost, spoolPath: await testFolder(), patience: impatient }
  return createGcsAvroArchiver({ ...place, acceptExpiry })
}

const Delete = { type: 'Delete' }

test.each([
  ['any object by its age', 'log_scores', { action: Delete, condition: { age: 30 } }],
  ['objects of a year', 'log_scores', { action: Delete, condition: { age: 30, matchesPrefix: ['2026/'] } }],
  [
    'the objects of the table',
    'log_scores_test',
    { action: Delete, condition: { age: 1, matchesPrefix: ['log_scores_test/'] } },
  ],
  ['Avro files', 'log_scores', { action: Delete, condition: { age: 30, matchesSuffix: ['.avro'] } }],
])('a rule that deletes %s is refused', async (_, table, rule) => {
  await expect((await archiverOn([rule])).prepare(table)).rejects.toMatchObject({
    code: 'GCS_BUCKET_EXPIRES',
    message: expect.stringContaining('"Delete"'),
  })
  await (await archiverOn([rule], 200, true)).prepare(table)
})

test.each([
  ['moves objects', { action: { type: 'SetStorageClass', storageClass: 'COLDLINE' }, condition: { age: 90 } }],
  ['ends uploads', { action: { type: 'AbortIncompleteMultipartUpload' }, condition: { age: 7 } }],
  ['deletes old versions', { action: Delete, condition: { numNewerVersions: 3, isLive: false } }],
  ['deletes the objects of another table', { action: Delete, condition: { age: 1, matchesPrefix: ['other/'] } }],
  ['deletes files of another kind', { action: Delete, condition: { age: 1, matchesSuffix: ['.tmp'] } }],
])('a rule that %s is accepted', async (_, rule) => {
  await (await archiverOn([rule])).prepare('log_scores_test')
})

test('an account that may not read the settings of the bucket is not stopped', async () => {
  await (await archiverOn([{ action: Delete }], 403)).prepare('log_scores')
})
