import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findExecutable } from './executables.js'
import { freePort } from './free-port.js'
import { goProgram } from './go.js'
import { ServerProcess, type Started } from './server-process.js'

const version = 'v1.56.1'

/** The emulator of Cloud Storage, with objects in its memory. */
export interface FakeGcsServer {
  /** `http://127.0.0.1:<port>`, also for STORAGE_EMULATOR_HOST. */
  readonly url: string
  /** To freeze and kill it; a restarted one has no buckets. Undefined for a server that this process did not start. */
  readonly process: ServerProcess | undefined
  stop(): Promise<void>
}

/** A bucket of one's own. */
export interface GcsBucket {
  readonly server: FakeGcsServer
  readonly name: string
  /** Removes the bucket with its objects. */
  drop(): Promise<void>
}

/**
 * Starts a private fake-gcs-server (the one on PATH, otherwise built with Go into the user's cache) on a free port of
 * 127.0.0.1. It ends with this process at the latest.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function startFakeGcs(): Promise<Started<FakeGcsServer>> {
  const command = await findFakeGcs()
  const folder = await mkdtemp(join(tmpdir(), 'archiver-gcs-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const args = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory']
  const process = await ServerProcess.start({
    command,
    args: [...args, '-log-level', 'error'],
    env: globalThis.process.env,
    folder,
    orderlyStop: false,
    answers: () => ask(url, '/_internal/healthcheck'),
  })
  return { url, process, stop: () => process.stop() }
}

async function findFakeGcs(): Promise<string> {
  const found = await findExecutable('fake-gcs-server')
  if (found) return found
  return join(await goProgram('fake-gcs-server', `github.com/fsouza/fake-gcs-server@${version}`), 'fake-gcs-server')
}

let buckets = 0

/** Creates an empty bucket under a name that no other call gets. */
export async function createGcsBucket(server: FakeGcsServer): Promise<GcsBucket> {
  const name = `test-${process.pid}-${++buckets}`
  await ask(server.url, '/storage/v1/b', { method: 'POST', body: JSON.stringify({ name }) })
  return { server, name, drop: () => dropBucket(server.url, name) }
}

async function dropBucket(url: string, bucket: string): Promise<void> {
  const objects = await ask(url, `/storage/v1/b/${bucket}/o?maxResults=100000`)
  const { items = [] } = (await objects.json()) as { items?: { name: string }[] } // as Cloud Storage lists objects
  for (const { name } of items) {
    await ask(url, `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`, { method: 'DELETE' })
  }
  await ask(url, `/storage/v1/b/${bucket}`, { method: 'DELETE' })
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url + path, init)
  if (response.ok) return response
  throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`)
}
