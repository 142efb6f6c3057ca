import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { ArchiverError, type Lease } from '@archiver/core'
import { type ClickHouseClient, ClickHouseLogLevel, createClient, type ResponseHeaders } from '@clickhouse/client'
import { commitLast, cutBlocks } from './commit-last.js'
import { clickHouseError, errorNumber, isRefusedConnection } from './errors.js'
import { readFacts } from './facts.js'
import { frameSettings, gzipCuts, gzipHeaders, zstdFrames } from './frames.js'
import { partId, sessionsOf } from './insert-ids.js'
import type { Facts, InsertIds, Link } from './link.js'
import { optionalRows } from './optional-rows.js'
import { rowsOf, run } from './statements.js'
import { columnList, literal, quoted } from './table.js'
import type { ClickHouseServers } from './target.js'
import { untilTaken } from './until-taken.js'
import { Watched } from './watched.js'

/**
 * The server sorts and writes this many rows while the next ones arrive. With its own default (a million) it only begins
 * when a batch of 500,000 has ended, and the whole takes a fifth longer; with 65,536 it gets slower again.
 */
const rowsPerServerBlock = '131072'

/** ClickHouse's number for a statement whose id another one has that runs. */
const sameIdRuns = 216
/** ClickHouse's number for a request whose HTTP session another request uses. */
const sessionIsLocked = 373
/** Inserts of one batch: each is of 90 days, or all rows. */
const maxParts = 50

/** One server, over HTTP. */
export class ServerLink implements Link {
  readonly maxInsertRows = Number.POSITIVE_INFINITY
  readonly maxReadIds = 1_000_000n
  readonly url: string
  readonly #target: ClickHouseServers
  readonly #dsn: string
  readonly #client: ClickHouseClient
  /** For inserts alone, one after the other: its socket is the one that an insert is sent through. */
  readonly #insertAgent: Agent
  readonly #insertClient: ClickHouseClient
  #facts: Facts | undefined

  /** @param dsn masked, for messages. */
  constructor(url: string, target: ClickHouseServers, dsn: string) {
    this.url = url
    this.#target = target
    this.#dsn = dsn
    this.#client = connect(url, target, target.skipVerify ? agentFor(url, target) : undefined)
    this.#insertAgent = agentFor(url, target)
    this.#insertClient = connect(url, target, this.#insertAgent)
  }

  /** @throws whatever keeps the server from answering within the dial timeout. */
  async ping(): Promise<void> {
    const signal = AbortSignal.timeout(this.#target.dialTimeoutMs)
    const answer = await this.#client.ping({ select: false, abort_signal: signal })
    if (answer.success) return
    throw signal.aborted ? Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }) : answer.error
  }

  /** What the server can do; asked once until it is asked anew. */
  async facts({ anew = false } = {}): Promise<Facts> {
    if (anew || !this.#facts) this.#facts = await readFacts(this)
    return this.#facts
  }

  rows(sql: string): Promise<Record<string, string>[]> {
    return rowsOf(this.#client, sql, this.#dsn, this.#requireClickHouse)
  }

  run(sql: string): Promise<void> {
    return run(this.#client, sql, this.#dsn, this.#requireClickHouse)
  }

  async *read(sql: string, signal: AbortSignal, format = 'RowBinary'): AsyncGenerator<Uint8Array> {
    try {
      const { stream, response_headers } = await this.#client.exec({
        query: `${sql} FORMAT ${format}`,
        abort_signal: signal,
        // An error that strikes in the middle is then an HTTP error, not a few bytes of text after the rows.
        clickhouse_settings: { wait_end_of_query: 1 },
      })
      this.#requireClickHouse(response_headers)
      yield* stream
    } catch (thrown) {
      signal.throwIfAborted()
      throw clickHouseError(thrown, 'cannot read the archive', this.#dsn)
    }
  }

  async insert(table: string, ids: InsertIds, blocks: AsyncIterable<Uint8Array>, lease: Lease): Promise<void> {
    const { queryId, sessionId } = ids
    const { insertSettings } = await this.facts()
    const { min_insert_block_size_rows = rowsPerServerBlock } = this.#target.settings
    const framed = compresses(this.#target, this.url)
    const zipped = this.#target.compression === 'gzip'
    const cut = cutBlocks(framed ? zstdFrames(blocks) : blocks)
    const taken = () => untilTaken(this.#insertAgent, body)
    const source = new Watched(commitLast(zipped ? gzipCuts(cut) : cut, lease, taken))
    const body: Readable = Readable.from(source, { objectMode: false, highWaterMark: 1 })
    try {
      const { stream, response_headers } = await this.#insertClient.exec({
        query: `INSERT INTO ${quoted(this.#target.database)}.${quoted(table)} (${columnList}) FORMAT Native`,
        query_id: queryId,
        session_id: sessionId,
        values: body,
        abort_signal: lease.signal,
        ...(zipped ? { http_headers: gzipHeaders } : {}),
        clickhouse_settings: { min_insert_block_size_rows, ...insertSettings, ...(framed ? frameSettings : {}) },
      })
      await stream.resume().toArray()
      this.#requireClickHouse(response_headers)
    } catch (thrown) {
      if (source.failure) throw source.failure.thrown
      lease.signal.throwIfAborted()
      throw clickHouseError(thrown, `cannot insert (query ${queryId})`, this.#dsn, { table })
    }
  }

  /**
   * The statements that run under a query id, or under that of a further part of its batch. A server counts an insert as a
   * statement only once it has received 256 KiB of it or its end. Before that, the insert is known by its session: the server
   * locks the session when it has read the head of the request.
   */
  async running(queryId: string): Promise<string[]> {
    const id = literal(queryId)
    const parts = literal(`${queryId}.`)
    const sql = `SELECT query_id FROM system.processes WHERE query_id = ${id} OR startsWith(query_id, ${parts})`
    try {
      await this.ping()
    } catch (thrown) {
      if (isRefusedConnection(thrown)) return []
      throw clickHouseError(thrown, `cannot tell what still runs at ${this.url}`, this.#dsn)
    }
    const rows = await optionalRows(this, sql)
    const running = rows?.map(({ query_id }) => query_id!) ?? (await this.#refusedTwins(queryId))
    if (running.length > 0) return running
    return this.#refused(sessionsOf(queryId), (session_id) => this.#isRefused({ session_id }, sessionIsLocked))
  }

  /** The same for a user who may not read `system.processes`: the server refuses a second statement of an id that runs. */
  #refusedTwins(queryId: string): Promise<string[]> {
    const ids = Array.from({ length: maxParts }, (_, i) => partId(queryId, i + 1))
    return this.#refused(ids, (query_id) => this.#isRefused({ query_id }, sameIdRuns))
  }

  async #refused(ids: readonly string[], isRefused: (id: string) => Promise<boolean>): Promise<string[]> {
    const refused = await Promise.all(ids.map(isRefused))
    return ids.filter((_, i) => refused[i])
  }

  /** Whether the server refuses a statement of this id or session, with the number of an error. */
  async #isRefused(id: { query_id: string } | { session_id: string }, number: number): Promise<boolean> {
    try {
      await this.#client.command({ query: 'SELECT 1', ...id })
      return false
    } catch (thrown) {
      if (errorNumber(thrown) === number) return true
      throw clickHouseError(thrown, `cannot tell what still runs at ${this.url}`, this.#dsn)
    }
  }

  /** ClickHouse puts headers of its own into every answer. A proxy may answer any request with a page of its own. */
  readonly #requireClickHouse = (headers: ResponseHeaders): void => {
    if (Object.keys(headers).some((name) => name.startsWith('x-clickhouse-'))) return
    throw new ArchiverError(`the answer of ${this.url} is not one of ClickHouse: it has no X-ClickHouse header`, {
      code: 'CLICKHOUSE_UNREACHABLE',
      archiver: 'clickhouse',
      hint: 'A proxy or another service answers there. Check host and HTTP port (8123, https 8443, or http_port=) in ch_dsn.',
      retryable: true,
    })
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#insertClient.close()
    this.#insertAgent.destroy()
  }
}

function agentFor(url: string, { skipVerify }: ClickHouseServers): Agent {
  if (!url.startsWith('https:')) return new Agent({ keepAlive: true })
  return new TlsAgent({ keepAlive: true, rejectUnauthorized: !skipVerify })
}

function connect(url: string, target: ClickHouseServers, agent: Agent | undefined): ClickHouseClient {
  const { username, password, database, httpPath, requestTimeoutMs, settings } = target
  return createClient({
    url,
    username,
    password,
    database,
    request_timeout: requestTimeoutMs,
    // Nothing of our own: a user who may only read (readonly=1) may change no setting.
    clickhouse_settings: settings,
    log: { level: ClickHouseLogLevel.OFF },
    keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
    ...(httpPath === '' ? {} : { pathname: httpPath }),
    ...(agent === undefined ? {} : { http_agent: agent, set_basic_auth_header: true }),
  })
}

/** Whether bodies go as zstd: on this machine it only costs, unless it was asked for by name. */
function compresses({ compression }: ClickHouseServers, url: string): boolean {
  return compression === 'zstd' || (compression === 'auto' && !isThisMachine(new URL(url).hostname))
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
