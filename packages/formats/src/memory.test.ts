import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Format } from './index.js'

/** Writes so many rows and drops them; prints the bytes, and the peak of its memory in MB. */
const program = `
import { writeRows } from '@archiver/formats'
import { chunkFromRows } from '@archiver/core'
import { ordinaryRows } from '@archiver/conformance'
const [rows, rowsPerChunk] = [Number(process.env.ROWS), 10_000]
const chunk = chunkFromRows(ordinaryRows(rowsPerChunk, 1n))
async function* chunks() {
  for (let at = 0; at < rows; at += rowsPerChunk) {
    for (let i = 0; i < rowsPerChunk; i++) chunk.id[i] = BigInt(at + i + 1)
    yield chunk
  }
}
let bytes = 0
await writeRows(process.env.FORMAT, chunks(), async (piece) => { bytes += piece.length })
console.log(JSON.stringify({ bytes, peakMb: process.resourceUsage().maxRSS / 1024 }))
`

async function peakOf(format: Format, rows: number) {
  const env = { ...process.env, FORMAT: format, ROWS: String(rows) }
  const args = ['--max-semi-space-size=4', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: `${import.meta.dirname}/..`, env })
  return JSON.parse(stdout) as { bytes: number; peakMb: number } // what it prints
}

test.each([
  ['ndjson', 200_000, 2_000_000],
  ['csv', 200_000, 2_000_000],
  ['avro', 200_000, 2_000_000],
  ['parquet', 400_000, 1_200_000],
] as const)('%s: memory does not grow with the rows', async (format, few, many) => {
  const [small, large] = [await peakOf(format, few), await peakOf(format, many)]
  expect(large.bytes).toBeGreaterThan((small.bytes * many * 0.9) / few)
  console.log(`${format}: ${small.peakMb.toFixed(0)} MB for ${few} rows, ${large.peakMb.toFixed(0)} MB for ${many}`)
  expect(large.peakMb - small.peakMb).toBeLessThan(60)
})
