import { once } from 'node:events'
import { promisify } from 'node:util'
import { constants, createGzip, zstdCompress } from 'node:zlib'
import type { CutBlock } from './commit-last.js'

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

/** Header of a request whose body is compressed by {@link gzipCuts}. */
export const gzipHeaders = { 'Content-Encoding': 'gzip' } as const

/** Blocks compressed by gzip at level 1. What has gone in comes out before the end of a block does. */
export async function* gzipCuts(blocks: AsyncIterable<CutBlock>): AsyncGenerator<CutBlock> {
  const gzip = createGzip({ level: 1 })
  const output: Buffer[] = []
  gzip.on('data', (bytes: Buffer) => output.push(bytes))
  const compressed = async (bytes: Uint8Array): Promise<Buffer> => {
    gzip.write(bytes)
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve))
    return Buffer.concat(output.splice(0))
  }
  let last: CutBlock | undefined
  for await (const { body, end } of blocks) {
    if (last !== undefined) yield last
    last = { body: await compressed(body), end: await compressed(end) }
  }
  if (last === undefined) return
  gzip.end()
  await once(gzip, 'end')
  yield { body: last.body, end: Buffer.concat([last.end, ...output]) }
}
