import { ArchiverError, errorText, type Lease, pause, TakeoverWait } from '@archiver/core'
import { isNetworkError } from './errors.js'
import type { Facts, Link, Links } from './link.js'
import type { ServerLink } from './server-link.js'
import { literal } from './table.js'
import type { ClickHouseServers } from './target.js'

const pollMs = 100
const lingerLimitMs = 60_000

const untilItEnds =
  'Until it ends nobody can tell what it stores; the next pass looks again. It ends with the connection of its sender: ' +
  'stop an earlier archiver that is frozen or cut off from the network.'

/** The servers of a DSN. They are taken for doors to the same table: the first that answers is used. */
export class Servers implements Links {
  readonly database: string
  readonly createsDatabase = false
  readonly #target: ClickHouseServers
  readonly #dsn: string
  readonly #takeoverWaitMs: number
  readonly #takeover: TakeoverWait
  #made: Promise<readonly ServerLink[]> | undefined

  constructor(target: ClickHouseServers, dsn: string, takeoverWaitMs: number) {
    this.database = target.database
    this.#target = target
    this.#dsn = dsn
    this.#takeoverWaitMs = takeoverWaitMs
    this.#takeover = new TakeoverWait(takeoverWaitMs)
  }

  async reach(): Promise<ServerLink> {
    const failures: string[] = []
    let cause: unknown
    for (const link of await this.#links()) {
      try {
        await link.ping()
        return link
      } catch (thrown) {
        failures.push(`${link.url} (${errorText(thrown)})`)
        if (cause === undefined || !isNetworkError(thrown)) cause = thrown
      }
    }
    if (!isNetworkError(cause)) throw answeredError(cause, failures)
    throw new ArchiverError(`ch_dsn: no ClickHouse answers at ${failures.join(', ')}`, {
      code: 'CLICKHOUSE_UNREACHABLE',
      archiver: 'clickhouse',
      hint: 'Is the server up, and do host and HTTP port (8123, https 8443, or http_port=) in ch_dsn fit?',
      retryable: true,
      cause,
    })
  }

  async prepare(): Promise<{ link: Link; facts: Facts }> {
    this.#takeover.restart()
    return this.#reachWithFacts()
  }

  async preview<T>(look: (link: Link, facts: Facts) => Promise<T>): Promise<T> {
    const { link, facts } = await this.#reachWithFacts()
    return look(link, facts)
  }

  interrupted(): void {
    this.#takeover.restart()
  }

  async settle(queryId: string, lease: Lease): Promise<void> {
    const links = await this.#links()
    do {
      for (const link of links) await this.#untilGone(link, queryId, lease)
      // An accepted request may not have become a statement yet.
    } while (await this.#takeover.done(lease.signal))
    lease.assertHeld()
  }

  async close(): Promise<void> {
    if (this.#made === undefined) return
    await Promise.all((await this.#made).map((link) => link.close()))
  }

  async #reachWithFacts(): Promise<{ link: Link; facts: Facts }> {
    const link = await this.reach()
    return { link, facts: await link.facts({ anew: true }) }
  }

  /** The client library is loaded with the first question: a pass with nothing to store asks none. */
  #links(): Promise<readonly ServerLink[]> {
    this.#made ??= import('./server-link.js').then(({ ServerLink }) =>
      this.#target.urls.map((url) => new ServerLink(url, this.#target, this.#dsn)),
    )
    return this.#made
  }

  /** Lets a statement end by itself for a while, then kills it. */
  async #untilGone(link: ServerLink, queryId: string, lease: Lease): Promise<void> {
    const startMs = performance.now()
    let killed = false
    for (;;) {
      const running = await link.running(queryId)
      if (running.length === 0) return
      const waitedMs = performance.now() - startMs
      if (waitedMs > lingerLimitMs) throw this.#lingers(link, running)
      if (!killed && waitedMs >= this.#takeoverWaitMs) {
        // 18.16 refuses to kill an insert that waits for its body: it ends when its connection does.
        await link.run(`KILL QUERY WHERE query_id IN (${running.map(literal).join(', ')})`).catch(() => {})
        killed = true
      }
      await pause(pollMs, lease.signal)
      lease.assertHeld()
    }
  }

  #lingers(link: ServerLink, running: readonly string[]): ArchiverError {
    return new ArchiverError(
      `${link.url} has not ended ${running.join(', ')}: it waits for the body, or does not obey KILL QUERY`,
      {
        code: 'CLICKHOUSE_STATEMENT_LINGERS',
        archiver: 'clickhouse',
        hint: `${untilItEnds} (ch_dsn ${this.#dsn})`,
        retryable: true,
      },
    )
  }
}

/** Something answered, and it was not "Ok.": ClickHouse in trouble, or a proxy before it. */
function answeredError(cause: unknown, failures: readonly string[]): ArchiverError {
  return new ArchiverError(
    `ch_dsn: ClickHouse, or a proxy before it, answered with an error at ${failures.join(', ')}`,
    {
      code: 'CLICKHOUSE_UNREACHABLE',
      archiver: 'clickhouse',
      hint: 'Something listens there and answers: see the log of the server and of a proxy. The archiver tries again.',
      retryable: true,
      cause,
    },
  )
}
