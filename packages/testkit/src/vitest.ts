import { afterAll, describe, inject } from 'vitest'
import { type ClickHouseServer, clickHouseQuery } from './clickhouse-server.js'
import { type ClickHouseDatabase, createClickHouseDatabase, createDatabase, type MySqlDatabase } from './database.js'
import { ServiceUnavailable } from './errors.js'
import type {} from './global-setup.js'
import type { MySqlServer } from './mysql-server.js'
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

async function ask(service: string): Promise<unknown> {
  const response = await fetch(inject('archiverServersUrl') + service)
  if (response.ok) return response.json()
  const message = await response.text()
  throw response.status === 404 ? new ServiceUnavailable(message) : new Error(message)
}

/**
 * `describe` with an empty database on the shared MySQL server, dropped after the last test. To be awaited at the top
 * of a test file or in an async `describe`. Where no server can be had the tests are skipped, which is printed; with
 * CI set they fail.
 */
export function describeWithMySql(name: string, body: (database: MySqlDatabase) => void | Promise<void>) {
  return describeWith(name, body, async () => createDatabase(await sharedMySql()))
}

/** Like {@link describeWithMySql}, with an empty database on the shared ClickHouse server. */
export function describeWithClickHouse(name: string, body: (database: ClickHouseDatabase) => void | Promise<void>) {
  return describeWith(name, body, async () => createClickHouseDatabase(await sharedClickHouse()))
}

async function describeWith<Database extends { drop(): Promise<void> }>(
  name: string,
  body: (database: Database) => void | Promise<void>,
  create: () => Promise<Database>,
): Promise<void> {
  const database = await create().catch((thrown: unknown) => skipOrFail(thrown))
  if (database instanceof ServiceUnavailable) {
    describe.skip(name, () => body({ drop: async () => {} } as Database)) // never used: it only lets the tests be counted
    return
  }
  describe(name, () => {
    afterAll(() => database.drop())
    return body(database)
  })
}
