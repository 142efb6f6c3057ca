import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Permit } from '@archiver/core'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ChdbConnection } from 'chdb/connection'
import { asConnection, openChdb } from './chdb.js'
import { clickHouseError } from './errors.js'
import { type Facts, readFacts } from './facts.js'
import type { Link, Links } from './link.js'
import { columnList, literal, quoted } from './table.js'
import type { EmbeddedClickHouse } from './target.js'

interface Opened {
  readonly connection: ChdbConnection
  readonly client: ClickHouseClient
}

/** The engine inside this process. Its inserts take no binary data, so each goes through a file of its own. */
export class Embedded implements Links, Link {
  /** Keeps the file below some 100 MB, and the insert in one block (ClickHouse cuts at 1,048,449 rows). */
  readonly maxInsertRows = 1_000_000
  readonly database: string
  readonly #target: EmbeddedClickHouse
  readonly #dsn: string
  #opened: Opened | undefined
  #facts: Facts | undefined

  /** @param dsn for messages. */
  constructor(target: EmbeddedClickHouse, dsn: string) {
    this.database = target.database
    this.#target = target
    this.#dsn = dsn
  }

  async reach(): Promise<Link> {
    this.#opened ??= await this.#open()
    this.#facts ??= await readFacts(this)
    return this
  }

  async prepare(table: string): Promise<{ link: Link; facts: Facts }> {
    this.#opened ??= await this.#open()
    this.#facts = await readFacts(this)
    await rm(this.#spoolOf(table), { recursive: true, force: true })
    await this.run(`CREATE DATABASE IF NOT EXISTS ${quoted(this.database)}`)
    return { link: this, facts: this.#facts }
  }

  /** Statements end with their process, and the engine locks its folder: nothing of an earlier process can arrive. */
  async settle(_queryId: string, permit: Permit): Promise<void> {
    permit.check()
  }

  async rows(sql: string): Promise<Record<string, string>[]> {
    return this.#doing(`cannot run "${sql.slice(0, 60)}…"`, async ({ client }) => {
      const answer = await client.query({ query: sql, format: 'JSONEachRow' })
      return answer.json<Record<string, string>>()
    })
  }

  async run(sql: string): Promise<void> {
    await this.#doing(`cannot run "${sql.slice(0, 60)}…"`, ({ client }) => client.command({ query: sql }))
  }

  async *read(sql: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const { connection } = this.#opened!
      for await (const piece of connection.chdb.queryStream(sql, { format: 'RowBinary', signal })) yield piece.raw()
    } catch (thrown) {
      signal.throwIfAborted()
      throw clickHouseError(thrown, 'cannot read the archive', this.#dsn)
    }
  }

  async insert(table: string, queryId: string, blocks: AsyncIterable<Uint8Array>, permit: Permit): Promise<void> {
    const spool = this.#spoolOf(table)
    const file = join(spool, `${encodeURIComponent(queryId)}.native`)
    const into = `${quoted(this.database)}.${quoted(table)}`
    try {
      await mkdir(spool, { recursive: true })
      await pipeline(blocks, createWriteStream(file), { signal: permit.signal })
      permit.check()
      const from = `SELECT ${columnList} FROM file(${literal(file)}, 'Native')`
      await this.#doing(`cannot insert (${queryId})`, ({ client }) =>
        client.command({
          query: `INSERT INTO ${into} (${columnList}) ${from}`,
          clickhouse_settings: this.#facts?.insertSettings ?? {},
        }),
      )
    } catch (thrown) {
      permit.signal.throwIfAborted()
      throw thrown
    } finally {
      await rm(file, { force: true })
    }
  }

  async close(): Promise<void> {
    await this.#opened?.client.close()
    this.#opened = undefined
  }

  #spoolOf(table: string): string {
    return join(this.#target.path, 'archiver-spool', encodeURIComponent(table))
  }

  async #doing<T>(doing: string, act: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      return await act(this.#opened!)
    } catch (thrown) {
      throw clickHouseError(thrown, doing, this.#dsn)
    }
  }

  async #open(): Promise<Opened> {
    const connection = await openChdb(this.#target.path)
    const log = { level: ClickHouseLogLevel.OFF }
    return {
      connection,
      client: createClient({ connection: asConnection(connection), log, clickhouse_settings: this.#target.settings }),
    }
  }
}
