import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ClickHouseDatabase,
  type ClickHouseServer,
  connectTo,
  createClickHouseDatabase,
  createDatabase,
  type FakeGcsServer,
  type MySqlDatabase,
  type MySqlServer,
} from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { TcpProxy } from '../tcp-proxy.js'
import { CloudLane } from './cloud-lane.js'

/** Databases, proxies and connections in which one schedule after the other is played. */
export class Lane implements AsyncDisposable {
  readonly mysql: MySqlDatabase
  readonly clickhouse: ClickHouseDatabase
  readonly mysqlProxy: TcpProxy
  readonly clickhouseProxy: TcpProxy
  /** Undefined where no emulators can be had. */
  readonly cloud: CloudLane | undefined
  readonly folder: string
  /** For what the test itself asks. */
  readonly connection: Connection
  /** For who deletes servers. */
  readonly owner: Connection
  /** One for what is committed at once, the others for transactions that stay open. */
  readonly writers: readonly Connection[]

  private constructor(parts: Omit<Lane, typeof Symbol.asyncDispose | 'sinkProxies' | 'killLock' | 'killReaders'>) {
    this.mysql = parts.mysql
    this.clickhouse = parts.clickhouse
    this.mysqlProxy = parts.mysqlProxy
    this.clickhouseProxy = parts.clickhouseProxy
    this.cloud = parts.cloud
    this.folder = parts.folder
    this.connection = parts.connection
    this.owner = parts.owner
    this.writers = parts.writers
  }

  static async open(
    mysqlServer: MySqlServer,
    clickhouseServer: ClickHouseServer,
    storage: FakeGcsServer | undefined,
  ): Promise<Lane> {
    const mysql = await createDatabase(mysqlServer)
    const folder = await mkdtemp(join(tmpdir(), 'archiver-lane-'))
    return new Lane({
      mysql,
      clickhouse: await createClickHouseDatabase(clickhouseServer),
      mysqlProxy: await TcpProxy.to(mysqlServer.port),
      clickhouseProxy: await TcpProxy.to(clickhouseServer.httpPort),
      cloud: storage && (await CloudLane.open(storage, folder)),
      folder,
      connection: await mysql.connect(),
      owner: await mysql.connect(),
      writers: await Promise.all(Array.from({ length: 4 }, () => connectTo(mysql.address))),
    })
  }

  /** In front of the archives. */
  get sinkProxies(): readonly TcpProxy[] {
    const { clickhouseProxy, cloud } = this
    return cloud === undefined ? [clickhouseProxy] : [clickhouseProxy, cloud.storageProxy, cloud.bigQueryProxy]
  }

  /** Kills the connection that holds a lock, if one does. */
  async killLock(name: string): Promise<void> {
    const [rows] = await this.connection.query<RowDataPacket[]>('select is_used_lock(?) as id', [name])
    await this.#kill(rows[0]?.id ?? undefined)
  }

  /** Kills every other connection of the program under test. */
  async killReaders(lockName: string): Promise<void> {
    const ours = [this.connection, this.owner, ...this.writers].map(({ threadId }) => threadId)
    const [rows] = await this.connection.query<RowDataPacket[]>(
      'select id from information_schema.processlist where db = ? and id not in (?) and id <> coalesce(is_used_lock(?), 0)',
      [this.mysql.name, ours, lockName],
    )
    for (const { id, ID } of rows) await this.#kill(id ?? ID)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.connection, this.owner, ...this.writers].map((connection) => connection.end()))
    await this.mysqlProxy[Symbol.asyncDispose]()
    await this.clickhouseProxy[Symbol.asyncDispose]()
    await this.cloud?.[Symbol.asyncDispose]()
    await this.mysql.drop()
    await this.clickhouse.drop()
    await rm(this.folder, { recursive: true })
  }

  async #kill(id: number | undefined): Promise<void> {
    if (id === undefined) return
    // It may have ended by itself.
    await this.connection.query(`kill ${id}`).catch(() => undefined)
  }
}
