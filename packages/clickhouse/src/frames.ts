import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'

const compress = promisify(zstdCompress)
const checksumBytes = 16
const headerBytes = 9
const zstdMethod = 0x90

/** Settings with which a server of any version reads {@link zstdFrames}. */
export const frameSettings = { decompress: 1, http_native_compression_disable_checksumming_on_decompress: 1 } as const

/**
 * Blocks in the frames of ClickHouse's own protocol, compressed by zstd at level 1 outside of the main thread. Servers
 * read these since long before they knew `Content-Encoding: zstd`. The checksum is left out: HTTP has TCP's.
 */
export async function* zstdFrames(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    const body = await compress(block, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    const head = Buffer.alloc(checksumBytes + headerBytes)
    head[checksumBytes] = zstdMethod
    head.writeUInt32LE(headerBytes + body.length, checksumBytes + 1)
    head.writeUInt32LE(block.length, checksumBytes + 5)
    yield Buffer.concat([head, body])
  }
}
