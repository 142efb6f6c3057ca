import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, describe, inject } from 'vitest'
import { type Chromium, findChromium } from './chromium.js'
import { type ClickHouseServer, clickHouseQuery, type MoreUsers, startClickHouse } from './clickhouse-server.js'
import { type ClickHouseDatabase, createClickHouseDatabase, createDatabase, type MySqlDatabase } from './database.js'
import { ServiceUnavailable } from './errors.js'
import { createGcsBucket, type FakeGcsServer, type GcsBucket } from './fake-gcs-server.js'
import type {} from './global-setup.js'
import { findMySqlPrograms } from './mysql-programs.js'
import { type MySqlServer, type MySqlServerOptions, startMariaDb } from './mysql-server.js'
import { promtool } from './prometheus.js'
import type { Started } from './server-process.js'
import { skipOrFail } from './skip-or-fail.js'

export { readmeExamples, runExample } from './readme.js'
export { skipOrFail } from './skip-or-fail.js'

/**
 * The MySQL server that all test files of this run share: ARCHIVER_TEST_MYSQL_URL, or a private MariaDB. To freeze,
 * kill or restart one, start your own.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function sharedMySql(): Promise<MySqlServer> {
  const server = (await ask('/mysql')) as MySqlServer // global-setup.ts sends what it started
  return { ...server, socketPath: server.socketPath, process: undefined, async stop() {} }
}

/**
 * The ClickHouse server that all test files of this run share. To freeze, kill or restart one, start your own.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function sharedClickHouse(): Promise<ClickHouseServer> {
  const server = (await ask('/clickhouse')) as ClickHouseServer // global-setup.ts sends what it started
  const query = (sql: string, database?: string) => clickHouseQuery(server.httpPort, sql, database)
  return { ...server, process: undefined, query, async stop() {} }
}

/**
 * The emulator of Cloud Storage that all test files of this run share. To freeze or kill one, start your own.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function sharedFakeGcs(): Promise<FakeGcsServer> {
  const server = (await ask('/gcs')) as FakeGcsServer // global-setup.ts sends what it started
  return { ...server, process: undefined, async stop() {} }
}

/** Not with fetch, which waits for five minutes at most: a server may have to be built first. */
async function ask(service: string): Promise<unknown> {
  const [response] = (await once(get(inject('archiverServersUrl') + service), 'response')) as [IncomingMessage] // it comes with
  const message = await text(response)
  if (response.statusCode === 200) return JSON.parse(message)
  throw response.statusCode === 404 ? new ServiceUnavailable(message) : new Error(message)
}

/**
 * `describe` with an empty database on the shared MySQL server, dropped after the last test. To be awaited at the top
 * of a test file or in an async `describe`. Where no server can be had the tests are skipped, which is printed; with
 * CI set they fail.
 */
export function describeWithMySql(name: string, body: (database: MySqlDatabase) => void | Promise<void>) {
  const create = async () => createDatabase(await sharedMySql())
  return describeWith(name, body, create, (database) => database.drop())
}

/** Like {@link describeWithMySql}, with an empty database on the shared ClickHouse server. */
export function describeWithClickHouse(name: string, body: (database: ClickHouseDatabase) => void | Promise<void>) {
  const create = async () => createClickHouseDatabase(await sharedClickHouse())
  return describeWith(name, body, create, (database) => database.drop())
}

/** Like {@link describeWithMySql}, with an empty bucket on the shared emulator of Cloud Storage. */
export function describeWithFakeGcs(name: string, body: (bucket: GcsBucket) => void | Promise<void>) {
  const create = async () => createGcsBucket(await sharedFakeGcs())
  return describeWith(name, body, create, (bucket) => bucket.drop())
}

/** Like {@link describeWithMySql}, with a whole server to freeze, kill and restart, stopped after the last test. */
export function describeWithOwnMySql(
  name: string,
  body: (server: Started<MySqlServer>) => void | Promise<void>,
  options: MySqlServerOptions = {},
) {
  return describeWith(
    name,
    body,
    () => startMariaDb(options),
    (server) => server.stop(),
  )
}

/** Like {@link describeWithOwnMySql}, for ClickHouse. */
export function describeWithOwnClickHouse(
  name: string,
  body: (server: Started<ClickHouseServer>) => void | Promise<void>,
  users: MoreUsers = {},
) {
  return describeWith(
    name,
    body,
    () => startClickHouse(users),
    (server) => server.stop(),
  )
}

/** `describe` with a Chromium to launch; nothing of it runs yet. */
export function describeWithChromium(name: string, body: (chromium: Chromium) => void | Promise<void>) {
  return describeWith(name, body, findChromium, async () => {})
}

/** `describe` where Prometheus and promtool can be had. */
export function describeWithPrometheus(name: string, body: () => void | Promise<void>) {
  const find = async () => ({ version: await promtool(['--version'], '') })
  return describeWith(name, body, find, async () => {})
}

/** Whether a MySQL server can be started here; where not, says so. @throws ServiceUnavailable with CI set. */
export async function hasMySql(): Promise<boolean> {
  const found = await findMySqlPrograms().catch((thrown: unknown) => skipOrFail(thrown))
  return !(found instanceof ServiceUnavailable)
}

async function describeWith<Service extends object>(
  name: string,
  body: (service: Service) => void | Promise<void>,
  start: () => Promise<Service>,
  end: (service: Service) => Promise<void>,
): Promise<void> {
  const service = await start().catch((thrown: unknown) => skipOrFail(thrown))
  if (service instanceof ServiceUnavailable) {
    describe.skip(name, () => body({} as Service)) // never used: the tests are only counted
    return
  }
  describe(name, () => {
    afterAll(() => end(service))
    return body(service)
  })
}
