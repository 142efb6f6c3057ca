import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chunksFromRows, type LogScore, leaseUntil } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { createSourceTables } from '@archiver/testkit'
import { describeWithMySql, readmeExamples, runExample } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'

const rows: LogScore[] = Array.from({ length: 250 }, (_, i) => ({
  ...{ id: BigInt(i + 1), serverId: 3, monitorId: 7, tsSeconds: 1_793_491_200 + i },
  ...{ score: 19.5, step: 1, offset: null, rtt: null, leap: null, error: null, warning: null },
}))

await describeWithMySql('the README', (database) => {
  test("'s example runs", async () => {
    const connection = await database.connect()
    const folder = await mkdtemp(join(tmpdir(), 'restore-readme-'))
    await createSourceTables(connection)
    await connection.query('create table restored like log_scores')
    await using archiver = createFileAvroArchiver({ path: folder })
    const ids = { afterId: 0n, firstId: 1n, upToId: 250n }
    const batch = { id: 1n, archiver: 'fileavro', table: 'log_scores', ...ids }
    await archiver.store(batch, chunksFromRows(rows), leaseUntil())
    const [example] = await readmeExamples('.')
    const output = await runExample(example!, '.', { MYSQL_EXAMPLE: database.url, AVRO_EXAMPLE: folder })
    expect(output).toContain('250 rows, up to 250\n')
    expect(output).toContain('250 restored, 0 the same, 0 different')
    await connection.end()
    await rm(folder, { recursive: true })
  })
})
