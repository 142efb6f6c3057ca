import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { faultPoint, type Lease } from '@archiver/core'
import type { JobMetadata } from '@google-cloud/bigquery'
import type { Link } from './link.js'
import { IdleLimit } from './time-limits.js'

/**
 * Sends a job together with its file, in one multipart request through the client's own credentials and endpoint.
 *
 * Not the client's `createLoadJob`: that puts `labels` and `location` inside `configuration.load`, where BigQuery does not
 * look, cannot be stopped, and waits for ever where the file cannot be read. The request has a length, and its end is
 * held back until the lease has been asked once more: a body that ends early is never taken for a whole one.
 *
 * @throws what the client throws, or what the lease does.
 */
export async function uploadJob(
  link: Link,
  job: JobMetadata,
  file: { readonly path: string; readonly bytes: number },
  lease: Lease,
): Promise<void> {
  const client = await link.client()
  const boundary = randomUUID()
  const head = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(job)}\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`,
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const idle = new IdleLimit()
  try {
    await client.authClient.request({
      url: `${client.apiEndpoint}/upload/bigquery/v2/projects/${link.projectId}/jobs?uploadType=multipart`,
      method: 'POST',
      headers: {
        'Content-Type': `multipart/related; boundary=${boundary}`,
        'Content-Length': String(head.length + file.bytes + tail.length),
      },
      data: Readable.from(bodyOf(head, file.path, tail, lease, idle), { objectMode: false }),
      signal: AbortSignal.any([lease.signal, idle.signal]),
      responseType: 'json',
      retry: false,
    })
  } catch (thrown) {
    lease.assertHeld()
    throw idle.signal.aborted ? idle.signal.reason : thrown
  } finally {
    idle.end()
  }
}

async function* bodyOf(head: Buffer, path: string, tail: Buffer, lease: Lease, idle: IdleLimit) {
  lease.assertHeld()
  yield head
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 18 })) {
    lease.assertHeld()
    idle.touch()
    yield piece as Buffer // a stream without an encoding gives buffers
    await faultPoint('bigquery.sending')
  }
  lease.assertHeld()
  yield tail
}
