import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { splitMultipart } from './multipart.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'multipart-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function* pieces(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length]!
    yield bytes.subarray(at, at + length)
    at += length
  }
}

async function split(body: Buffer, lengths: readonly number[]) {
  const path = join(folder, 'media')
  let json: unknown
  await splitMultipart(pieces(body, lengths), 'multipart/related; boundary="bound"', path, (first) => {
    json = first
  })
  return { json, media: (await readFile(path)).toString('latin1') }
}

const head = '--bound\r\nContent-Type: application/json\r\n\r\n{"a":"\\u0000b"}\r\n--bound\r\nContent-Type: */*\r\n\r\n'
/** Bytes that look like the end of the file, among others. */
const media = fc
  .array(fc.oneof(fc.constantFrom('\r\n--bound', '\r\n--bound--', '\r\n', '--'), fc.string({ maxLength: 40 })))
  .map((parts) => Buffer.from(parts.join('')).toString('latin1'))

test('the file is what is between the headers and the last boundary, however the body is cut in pieces', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(media, lengths, fc.constantFrom('', '\r\n'), async (bytes, cuts, end) => {
      const body = Buffer.from(`${head}${bytes}\r\n--bound--${end}`, 'latin1')
      expect(await split(body, cuts)).toEqual({ json: { a: '\u0000b' }, media: bytes })
    }),
    { numRuns: 200 },
  )
})

test.each([head, `${head}file`, '--bound\r\n\r\n{}\r\n--bound--'])('%j is incomplete', async (body) => {
  await expect(split(Buffer.from(body), [10])).rejects.toThrow('Incomplete multipart body')
})
