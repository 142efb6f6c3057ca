import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Lease } from '@archiver/core'
import type { ClickHouseClient } from '@clickhouse/client'
import type { ChdbConnection } from 'chdb/connection'
import { asConnection, openChdb } from './chdb.js'
import { clickHouseError } from './errors.js'
import { readFacts } from './facts.js'
import type { Facts, InsertIds, Link, Links } from './link.js'
import { rowsOf, run } from './statements.js'
import { columnList, literal, quoted } from './table.js'
import type { EmbeddedClickHouse } from './target.js'
import { Watched } from './watched.js'

interface Opened {
  readonly connection: ChdbConnection
  readonly client: ClickHouseClient
}

/** The engine inside this process. Its inserts take no binary data, so each goes through a file of its own. */
export class Embedded implements Links, Link {
  /** Keeps the file below some 100 MB, and the insert in one block (ClickHouse cuts at 1,048,449 rows). */
  readonly maxInsertRows = 1_000_000
  /** The engine's memory is this process's. */
  readonly maxReadIds = 250_000n
  readonly createsDatabase = true
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

  // Everything below `reach` and `prepare` runs after one of them has opened the engine.
  async reach(): Promise<Link> {
    this.#opened ??= await this.#open(this.#target.path)
    this.#facts ??= await readFacts(this)
    return this
  }

  async prepare(table: string): Promise<{ link: Link; facts: Facts }> {
    this.#opened ??= await this.#open(this.#target.path)
    this.#facts = await readFacts(this)
    await rm(this.#spoolOf(table), { recursive: true, force: true })
    return { link: this, facts: this.#facts }
  }

  /** Where the folder is missing the engine runs in memory: opening it there would make it. */
  async preview<T>(look: (link: Link, facts: Facts) => Promise<T>): Promise<T> {
    const isNew = this.#opened === undefined && !existsSync(this.#target.path)
    this.#opened ??= await this.#open(isNew ? undefined : this.#target.path)
    try {
      return await look(this, await readFacts(this))
    } finally {
      if (isNew) await this.close()
    }
  }

  /** Statements end with their process, and the engine locks its folder: nothing of an earlier process can arrive. */
  async settle(_queryId: string, lease: Lease): Promise<void> {
    lease.assertHeld()
  }

  /** A failed insert has ended. */
  interrupted(): void {}

  rows(sql: string): Promise<Record<string, string>[]> {
    return rowsOf(this.#opened!.client, sql, this.#dsn)
  }

  run(sql: string): Promise<void> {
    return run(this.#opened!.client, sql, this.#dsn)
  }

  async *read(
    sql: string,
    signal: AbortSignal,
    format: 'RowBinary' | 'Native' = 'RowBinary',
  ): AsyncGenerator<Uint8Array> {
    try {
      const { connection } = this.#opened!
      for await (const piece of connection.chdb.queryStream(sql, { format, signal })) yield piece.raw()
    } catch (thrown) {
      signal.throwIfAborted()
      throw clickHouseError(thrown, 'cannot read the archive', this.#dsn)
    }
  }

  async insert(table: string, { queryId }: InsertIds, blocks: AsyncIterable<Uint8Array>, lease: Lease): Promise<void> {
    const spool = this.#spoolOf(table)
    const file = join(spool, `${encodeURIComponent(queryId)}.native`)
    const source = new Watched(blocks)
    try {
      await mkdir(spool, { recursive: true })
      await pipeline(source, createWriteStream(file), { signal: lease.signal })
      lease.assertHeld()
      await this.#insertFile(table, file)
    } catch (thrown) {
      if (source.failure) throw source.failure.thrown
      lease.assertHeld()
      throw clickHouseError(thrown, `cannot insert (${queryId})`, this.#dsn, { table })
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

  async #insertFile(table: string, file: string): Promise<void> {
    const into = `${quoted(this.database)}.${quoted(table)} (${columnList})`
    await this.#opened!.client.command({
      query: `INSERT INTO ${into} SELECT ${columnList} FROM file(${literal(file)}, 'Native')`,
      clickhouse_settings: this.#facts?.insertSettings ?? {},
    })
  }

  async #open(path: string | undefined): Promise<Opened> {
    const [{ ClickHouseLogLevel, createClient }, connection] = await Promise.all([
      import('@clickhouse/client'),
      openChdb(path),
    ])
    const log = { level: ClickHouseLogLevel.OFF }
    return {
      connection,
      client: createClient({ connection: asConnection(connection), log, clickhouse_settings: this.#target.settings }),
    }
  }
}
