import { archivedRow } from '@archiver/avro'
import { describeArchiver } from '@archiver/conformance'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { createGcsAvroArchiver } from './gcs-avro-archiver.js'
import { impatient, rowsIn } from './test-support.js'

for (const resumableFromBytes of [1, 2 ** 30]) {
  const how = resumableFromBytes === 1 ? 'in resumable uploads' : 'in one request each'
  await describeWithFakeGcs(`Cloud Storage, objects sent ${how}`, (bucket) => {
    describeArchiver('gcsavro', {
      open: async () =>
        createGcsAvroArchiver({
          bucket: bucket.name,
          emulatorHost: bucket.server.url,
          rowsPerBlock: 100,
          resumableFromBytes,
          patience: impatient,
        }),
      read: (table) => rowsIn(bucket, `${table}/`),
      convert: archivedRow,
      wholeBatches: true,
    })
  })
}
