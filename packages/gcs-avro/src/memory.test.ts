import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describeWithFakeGcs } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { removeObjects } from './test-support.js'

/** Stores a batch of so many rows in one object, and reads it back; prints the peak of its memory in MB. */
const program = `
import { createGcsAvroArchiver } from '@archiver/gcs-avro'
import { batchSourceFrom, chunkFromRows, leaseUntil } from '@archiver/core'
import { ordinaryRows } from '@archiver/conformance'
const [rows, rowsPerChunk] = [Number(process.env.ROWS), 10_000]
const chunk = chunkFromRows(ordinaryRows(rowsPerChunk, 1n))
async function* chunks() {
  for (let at = 0; at < rows; at += rowsPerChunk) {
    for (let i = 0; i < rowsPerChunk; i++) chunk.id[i] = BigInt(at + i + 1)
    yield chunk
  }
}
const archiver = createGcsAvroArchiver({ bucket: process.env.BUCKET, emulatorHost: process.env.EMULATOR })
const range = { afterId: 0n, upToId: BigInt(rows) }
const batch = { id: 1n, archiver: 'gcsavro', table: 'log_scores', firstId: 1n, ...range }
await archiver.prepare('log_scores')
const { bytes } = await archiver.store(batch, chunks(), leaseUntil())
const stored = await archiver.findStored(batch, batchSourceFrom(chunks), leaseUntil())
const digest = await archiver.reader.digest('log_scores', range, new AbortController().signal)
const peakMb = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ bytes, kind: stored.kind, rows: Number(digest.rows), peakMb }))
`

await describeWithFakeGcs('memory', (bucket) => {
  async function peakOf(rows: number) {
    await removeObjects(bucket)
    const env = { ...process.env, ROWS: String(rows), BUCKET: bucket.name, EMULATOR: bucket.server.url }
    const args = ['--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: `${import.meta.dirname}/..`, env })
    return JSON.parse(stdout) as { bytes: number; kind: string; rows: number; peakMb: number } // what it prints
  }

  test('does not grow with the batch', async () => {
    const small = await peakOf(500_000)
    const large = await peakOf(2_500_000)
    expect([small, large]).toMatchObject([
      { kind: 'all', rows: 500_000 },
      { kind: 'all', rows: 2_500_000 },
    ])
    expect(large.bytes).toBeGreaterThan(80e6)
    console.log(
      `${small.peakMb.toFixed(0)} MB for ${small.bytes} bytes, ${large.peakMb.toFixed(0)} MB for ${large.bytes}`,
    )
    expect(large.peakMb - small.peakMb).toBeLessThan(50)
  })
})
