import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { pythonWith } from '@archiver/testkit'
import { describeNeeding } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { atFault, batch, prepared, rowsIn, startFake, store } from './testing/fake.js'

const rows = ordinaryRows(500)

const script = `
import fastavro, json, sys
with open(sys.argv[1], 'rb') as file:
    for row in fastavro.reader(file):
        print(json.dumps({**row, 'ts': int(row['ts'].timestamp())}))
`

await describeNeeding('fastavro', { python: () => pythonWith('fastavro==1.12.1') }, ({ python }) => {
  test('reads what is sent', async () => {
    await using fake = await startFake()
    const spoolPath = await mkdtemp(join(tmpdir(), 'bigquery-fastavro-'))
    const kept = join(spoolPath, 'kept.avro')
    atFault('bigquery.spooled', async () => {
      const [name] = await readdir(spoolPath)
      await copyFile(join(spoolPath, name!), kept)
    })
    await store(await prepared(fake, { spoolPath }), batch(1n, rows), rows)
    expect(await readdir(spoolPath)).toEqual(['kept.avro'])
    const lines = await python.run(script, kept)
    const expected = (await rowsIn(fake)).map(({ serverId, monitorId, tsSeconds, warning: _, ...row }) => ({
      ...row,
      id: Number(row.id),
      server_id: serverId,
      monitor_id: monitorId,
      ts: tsSeconds,
    }))
    expect(expected).toHaveLength(500)
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(expected)
    expect(await rowsIn(fake)).toEqual(rows.map(archivedRow))
    await rm(spoolPath, { recursive: true })
  })
})
