import { promisify } from 'node:util'
import { crc32, deflateRaw, constants as flags, inflateRaw, zstdCompress, zstdDecompress } from 'node:zlib'

/** How blocks are compressed; the names are those of the Avro specification. */
export const codecs = ['null', 'deflate', 'snappy', 'zstandard'] as const
export type Codec = (typeof codecs)[number]

export function isCodec(name: string): name is Codec {
  // includes() wants what it looks for to be of the list's type already.
  return codecs.includes(name as Codec)
}

/** No block may be larger when decompressed: what a damaged or hostile file can make a reader allocate. */
export const maxBlockBytes = 256 * 2 ** 20

const deflateAsync = promisify(deflateRaw)
const inflateAsync = promisify(inflateRaw)
const zstdAsync = promisify(zstdCompress)
const unzstdAsync = promisify(zstdDecompress)

/** zlib takes memory for its output in steps of this; a step too large is wasted on a small block. */
function outputSteps(bytes: number) {
  return { chunkSize: Math.min(Math.max(bytes, 2 ** 10), 2 ** 21) }
}

/**
 * Compresses a block on a thread of the pool, into one part or more. `data` must not change before that is done. Level 1
 * for both that have levels: on real rows deflate 6 takes twice the time for 0.7% fewer bytes, and zstandard 3 takes
 * longer for more bytes.
 */
export async function compress(codec: Exclude<Codec, 'null'>, data: Uint8Array): Promise<Uint8Array[]> {
  switch (codec) {
    case 'deflate':
      return [await deflateAsync(data, { ...outputSteps(data.length), level: 1 })]
    case 'zstandard':
      return [await zstdAsync(data, { ...outputSteps(data.length), params: { [flags.ZSTD_c_compressionLevel]: 1 } })]
    case 'snappy':
      return await snappyBlock(data)
  }
}

/** The data of a block again. Rejects with the library's error where it is damaged or larger than {@link maxBlockBytes}. */
export async function decompress(codec: Codec, data: Buffer): Promise<Buffer> {
  switch (codec) {
    case 'null':
      return data
    case 'deflate':
      return await inflateAsync(data, { ...outputSteps(2 * data.length), maxOutputLength: maxBlockBytes })
    case 'zstandard':
      return await unzstdAsync(data, { ...outputSteps(2 * data.length), maxOutputLength: maxBlockBytes })
    case 'snappy':
      return await snappyData(data)
  }
}

/** Loaded only where it is used: it is a native library. */
function loadSnappy() {
  return import('snappy')
}

async function snappyBlock(data: Uint8Array): Promise<Uint8Array[]> {
  const { compress: snappyCompress } = await loadSnappy()
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(data))
  const input = Buffer.from(data.buffer, data.byteOffset, data.length)
  return [await snappyCompress(input), checksum]
}

async function snappyData(block: Buffer): Promise<Buffer> {
  const { uncompress } = await loadSnappy()
  if (block.length < 5) throw new Error('a snappy block has at least 5 bytes')
  const compressed = block.subarray(0, -4)
  const length = snappyLength(compressed)
  if (length > maxBlockBytes) throw new Error(`it claims ${length} bytes of data`)
  const data = await uncompress(compressed, { asBuffer: true })
  // With asBuffer it is a buffer, which the types do not tell.
  const buffer = data as Buffer
  if (crc32(buffer) !== block.readUInt32BE(compressed.length)) throw new Error('its CRC-32 does not match its data')
  return buffer
}

/** A snappy stream begins with the length of its data, 7 bits a byte. */
function snappyLength(compressed: Uint8Array): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = compressed[i] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  return length
}
