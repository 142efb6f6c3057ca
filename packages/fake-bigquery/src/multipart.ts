import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { invalid } from './api-error.js'
import { parseJson } from './request-body.js'

/**
 * Takes a multipart/related body apart: the first part is JSON, the second goes into the file as it comes, and at the end
 * the closing boundary must be there (RFC 2387; "Multipart upload" of BigQuery's "API uploads").
 *
 * @param metadata is called with the JSON as soon as it is there, before the file comes.
 * @throws ApiError `invalid` for anything else than two whole parts.
 */
export async function splitMultipart(
  body: AsyncIterable<Buffer>,
  contentType: string,
  path: string,
  metadata: (json: unknown) => void,
): Promise<void> {
  const [, quoted, bare] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? bare
  if (!/^multipart\/related/i.test(contentType) || boundary === undefined) throw invalid('Missing multipart boundary')
  await pipeline(mediaOf(body, boundary, metadata), createWriteStream(path, { highWaterMark: 1 << 20 }))
}

const maxHeadBytes = 10_000_000

async function* mediaOf(
  body: AsyncIterable<Buffer>,
  boundary: string,
  metadata: (json: unknown) => void,
): AsyncGenerator<Buffer> {
  const closing = Buffer.from(`\r\n--${boundary}--`)
  let inMedia = false
  /** The beginning until the file starts; from then on as many bytes as may be the closing boundary and a line end. */
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    let bytes = chunk
    if (!inMedia) {
      held = Buffer.concat([held, chunk])
      const head = headOf(held, boundary)
      if (!head && held.length > maxHeadBytes) throw invalid('The first part is too large')
      if (!head) continue
      metadata(parseJson(head.json))
      inMedia = true
      bytes = held.subarray(head.length)
      held = Buffer.alloc(0)
    }
    const heldBytes = closing.length + 2
    if (bytes.length < heldBytes) bytes = Buffer.concat([held, bytes])
    else yield held
    const ready = Math.max(0, bytes.length - heldBytes)
    yield bytes.subarray(0, ready)
    held = bytes.subarray(ready)
  }
  const end = held.lastIndexOf(closing)
  if (!inMedia || end < 0) throw invalid('Incomplete multipart body: its closing boundary is missing')
  yield held.subarray(0, end)
}

/** The first part and the headers of the second, once they are all there. */
function headOf(bytes: Buffer, boundary: string): { json: string; length: number } | undefined {
  const text = bytes.toString('latin1', 0, maxHeadBytes)
  const headersEnd = text.indexOf(blankLine)
  const jsonStart = headersEnd + blankLine.length
  const jsonEnd = headersEnd < 0 ? -1 : text.indexOf(`\r\n--${boundary}`, jsonStart)
  const mediaStart = jsonEnd < 0 ? -1 : text.indexOf(blankLine, jsonEnd + 2) + blankLine.length
  if (mediaStart < blankLine.length) return undefined
  return { json: bytes.toString('utf8', jsonStart, jsonEnd), length: mediaStart }
}

const blankLine = '\r\n\r\n'
