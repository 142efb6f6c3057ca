import { CRC32C } from '@google-cloud/storage'
import { expect, test } from 'vitest'
import { Crc32c } from './crc32c.js'

test('the check value of CRC32C', () => {
  // From the catalogue of CRC algorithms: "123456789" gives e3069283.
  expect(Buffer.from(new Crc32c().update(Buffer.from('123456789')).base64, 'base64').toString('hex')).toBe('e3069283')
  expect(new Crc32c().base64).toBe('AAAAAA==')
})

test('any length in any pieces is what the storage library computes', () => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7919 + 13) & 255))
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length)
    const library = new CRC32C()
    library.update(part)
    const cut = (length * 3) % (length + 1)
    const ours = new Crc32c().update(part.subarray(0, cut)).update(part.subarray(cut))
    expect(ours.base64).toBe(library.toString())
  }
})
