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
import { type MySqlServer, type MySqlServerOptions, startMariaDb } from './mysql-server.js'
import { type Found, findAll, type Needs, skipSuite } from './needs.js'
import { promtool } from './prometheus.js'
import type { Started } from './server-process.js'

export { findMySqlPrograms } from './mysql-programs.js'
export { describeNeeding, type Found, gitCheckout, type Needs, program, root, rootOfOwn, skipSuite } from './needs.js'
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
  if (response.statusCode !== 404) throw new Error(message)
  const { reason, ...rest } = JSON.parse(message) as ServiceUnavailable // as global-setup.ts sends it
  throw new ServiceUnavailable(reason, rest)
}

type Body<Service, N extends Needs> = (service: Service, found: Found<N>) => void | Promise<void>

/**
 * A `describe` with a service of its kind. Where the service or one of `needs` cannot be had, the suite is one skipped
 * test that says why; with CI set the file fails. To be awaited at the top of a test file or in an async `describe`.
 */
interface DescribeWith<Service> {
  (name: string, body: Body<Service, Record<never, never>>): Promise<void>
  <N extends Needs>(name: string, needs: N, body: Body<Service, N>): Promise<void>
}

/** With an empty database on the shared MySQL server, dropped after the last test. */
export const describeWithMySql: DescribeWith<MySqlDatabase> = describer(
  async () => createDatabase(await sharedMySql()),
  (database) => database.drop(),
)

/** With an empty database on the shared ClickHouse server. */
export const describeWithClickHouse: DescribeWith<ClickHouseDatabase> = describer(
  async () => createClickHouseDatabase(await sharedClickHouse()),
  (database) => database.drop(),
)

/** With an empty bucket on the shared emulator of Cloud Storage. */
export const describeWithFakeGcs: DescribeWith<GcsBucket> = describer(
  async () => createGcsBucket(await sharedFakeGcs()),
  (bucket) => bucket.drop(),
)

/** With a whole MySQL server to freeze, kill and restart, stopped after the last test. */
export function describeWithOwnMySql(
  name: string,
  body: (server: Started<MySqlServer>) => void | Promise<void>,
  { needs = {}, ...options }: MySqlServerOptions & { readonly needs?: Needs } = {},
): Promise<void> {
  const start = () => startMariaDb(options)
  return describeWith(name, needs, body, start, (server) => server.stop())
}

/** Like {@link describeWithOwnMySql}, for ClickHouse; perhaps with more users than `default`. */
export function describeWithOwnClickHouse(
  name: string,
  body: (server: Started<ClickHouseServer>) => void | Promise<void>,
  users: MoreUsers = {},
): Promise<void> {
  const start = () => startClickHouse(users)
  return describeWith(name, {}, body, start, (server) => server.stop())
}

/** With a Chromium to launch; nothing of it runs yet. */
export const describeWithChromium: DescribeWith<Chromium> = describer(findChromium, async () => {})

/** Where Prometheus and promtool can be had. */
export const describeWithPrometheus: DescribeWith<{ readonly version: string }> = describer(
  async () => ({ version: await promtool(['--version'], '') }),
  async () => {},
)

function describer<Service>(
  start: () => Promise<Service>,
  end: (service: Service) => Promise<void>,
): DescribeWith<Service> {
  return (name: string, ...rest: [Body<Service, Needs>] | [Needs, Body<Service, Needs>]) => {
    const [needs, body] = rest.length === 1 ? [{}, rest[0]] : rest
    return describeWith(name, needs, body, start, end)
  }
}

async function describeWith<Service, N extends Needs>(
  name: string,
  needs: N,
  body: Body<Service, N>,
  start: () => Promise<Service>,
  end: (service: Service) => Promise<void>,
): Promise<void> {
  const { found, missing } = await findAll(needs)
  if (found === undefined) return skipSuite(name, missing)
  // Last: nothing is started where something else is missing.
  const started = await findAll({ service: start })
  if (started.found === undefined) return skipSuite(name, started.missing)
  const { service } = started.found
  describe(name, () => {
    afterAll(() => end(service))
    return body(service, found)
  })
}
