/** Castagnoli's polynomial, its bits reversed. */
const polynomial = 0x82f63b78

/** Eight tables, one after the other: what a byte does to the sum with 0 to 7 zero bytes after it. */
const tables = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1
    made[byte] = sum
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256]!
    made[i] = (before >>> 8) ^ made[before & 255]!
  }
  return made
}

/**
 * The checksum that Cloud Storage keeps of each object. Eight bytes a step: the storage library takes one, and a tenth of the
 * speed; Node has no CRC32C.
 */
export class Crc32c {
  #sum = -1

  update(bytes: Uint8Array): this {
    const t = tables
    const wholeEnd = bytes.length & ~7
    let sum = this.#sum
    let i = 0
    for (; i < wholeEnd; i += 8) {
      sum ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      sum =
        t[1792 + (sum & 255)]! ^
        t[1536 + ((sum >>> 8) & 255)]! ^
        t[1280 + ((sum >>> 16) & 255)]! ^
        t[1024 + (sum >>> 24)]! ^
        t[768 + bytes[i + 4]!]! ^
        t[512 + bytes[i + 5]!]! ^
        t[256 + bytes[i + 6]!]! ^
        t[bytes[i + 7]!]!
    }
    for (; i < bytes.length; i++) sum = (sum >>> 8) ^ t[(sum ^ bytes[i]!) & 255]!
    this.#sum = sum
    return this
  }

  /** As Cloud Storage writes it: base64 of the four bytes, the highest first. */
  get base64(): string {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(~this.#sum)
    return bytes.toString('base64')
  }
}
