import { randomBytes } from 'node:crypto'
import { type Connection, createConnection } from 'mysql2/promise'
import type { ClickHouseServer } from './clickhouse-server.js'
import type { MySqlServer } from './mysql-server.js'

/** What mysql2 and Kysely need to connect. */
export interface MySqlAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** An empty database of one's own. */
export interface MySqlDatabase {
  readonly name: string
  readonly address: MySqlAddress
  /** `mysql://user:password@host:port/name` */
  readonly url: string
  readonly server: MySqlServer
  /** A connection of mysql2 with the session at UTC; ids come as bigint-safe strings. The caller ends it. */
  connect(): Promise<Connection>
  drop(): Promise<void>
}

/** An empty database of one's own. */
export interface ClickHouseDatabase {
  readonly name: string
  readonly server: ClickHouseServer
  /** Runs one statement in this database. @returns the answer's text. */
  query(sql: string): Promise<string>
  drop(): Promise<void>
}

function uniqueName(): string {
  return `archiver_${randomBytes(6).toString('hex')}`
}

/** Creates a database under a name that nothing else has. */
export async function createDatabase(server: MySqlServer): Promise<MySqlDatabase> {
  const database = uniqueName()
  const { host, port, user, password } = server
  const address = { host, port, user, password, database }
  await once(server, `create database \`${database}\` character set utf8mb4`)
  return {
    name: database,
    address,
    url: new URL(database, server.url).href,
    server,
    connect: () => connectTo(address),
    drop: () => once(server, `drop database if exists \`${database}\``),
  }
}

/** A connection of mysql2 whose session is at UTC; 64-bit integers beyond 2^53 come as strings. The caller ends it. */
export async function connectTo(address: MySqlAddress): Promise<Connection> {
  const options = { ...address, timezone: 'Z', supportBigNumbers: true, charset: 'utf8mb4' }
  const connection = await createConnection(options)
  await connection.query("set time_zone = '+00:00'")
  return connection
}

async function once({ host, port, user, password }: MySqlServer, sql: string): Promise<void> {
  const connection = await createConnection({ host, port, user, password })
  await connection.query(sql).finally(() => connection.end())
}

/** Creates a database under a name that nothing else has. */
export async function createClickHouseDatabase(server: ClickHouseServer): Promise<ClickHouseDatabase> {
  const name = uniqueName()
  await server.query(`create database ${name}`)
  return {
    name,
    server,
    query: (sql) => server.query(sql, name),
    async drop() {
      await server.query(`drop database if exists ${name}`)
    },
  }
}
