import { archivedRow, codecs } from '@archiver/avro'
import { edgeRows, ordinaryRows } from '@archiver/conformance'
import type { LogScore } from '@archiver/core'
import { pythonWith } from '@archiver/testkit'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { batch, opened, removeObjects, store } from './test-support.js'

const rows: LogScore[] = [...ordinaryRows(300), ...edgeRows().filter(isTaken)]

function isTaken(row: LogScore): boolean {
  try {
    return archivedRow(row) !== undefined
  } catch {
    return false
  }
}

/** Fetches an object and prints its rows, in a program that shares nothing with ours. */
const script = `
import fastavro, io, json, sys, urllib.request
bytes = io.BytesIO(urllib.request.urlopen(sys.argv[1]).read())
for row in fastavro.reader(bytes):
    row["ts"] = int(row["ts"].timestamp())
    row["id"] = str(row["id"])
    print(json.dumps(row))
`

/** What fastavro needs for codecs that are not of Python's own library. */
const packages = ['fastavro==1.12.1', 'cramjam==2.11.0', 'zstandard==0.25.0']

await describeWithFakeGcs('fastavro', { python: () => pythonWith(...packages) }, (bucket, { python }) => {
  const sizes = { 'in one request': 2 ** 30, 'in a resumable upload': 1 }
  const cases = codecs.flatMap((codec) => Object.entries(sizes).map(([how, from]) => [codec, how, from] as const))
  test.each(cases)('reads objects, codec %s, sent %s', async (codec, _, from) => {
    await removeObjects(bucket)
    const archiver = await opened(bucket, { codec, resumableFromBytes: from, rowsPerBlock: 64 })
    const { identity } = await store(archiver, batch(1n, rows), rows)
    const url = `${bucket.server.url}/storage/v1/b/${bucket.name}/o/${encodeURIComponent(identity)}?alt=media`
    const printed = (await python.run(script, url)).trimEnd().split('\n')
    expect(printed.map((line) => JSON.parse(line))).toEqual(rows.map((row) => record(archivedRow(row))))
  })
})

function record({ id, serverId, monitorId, tsSeconds, score, step, offset, rtt, leap, error }: LogScore) {
  return {
    id: String(id),
    server_id: serverId,
    monitor_id: monitorId,
    ts: tsSeconds,
    score,
    step,
    offset,
    rtt,
    leap,
    error,
  }
}
