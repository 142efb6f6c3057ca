import { type Archiver, type Lease, leaseUntil, type Source } from '@archiver/core'
import { type EngineEvent, type RetryPolicy, runPass } from '@archiver/core/engine'
import { MySqlLedger, MySqlLock, MySqlSource } from '@archiver/mysql'
import type { MySqlDatabase } from '@archiver/testkit'

export interface PassSetup {
  readonly database: MySqlDatabase
  readonly archiver: Archiver
  readonly table?: string
  readonly settleMs?: number
  readonly pageRows?: number
  readonly retry?: RetryPolicy
  readonly lease?: Lease
  /** Sees what the engine asks the source. */
  readonly watchSource?: (source: MySqlSource) => Source
}

export interface PassLog {
  readonly events: readonly EngineEvent[]
  readonly failed: ReadonlyMap<string, Error>
  readonly elapsedMs: number
}

const ONCE: RetryPolicy = { attempts: 1, firstDelayMs: 1, maxDelayMs: 1 }

/** One pass of the built engine in this process. */
export async function onePass(setup: PassSetup): Promise<PassLog> {
  const { database, archiver, table = 'log_scores', settleMs = 300, pageRows = 10, retry = ONCE } = setup
  const events: EngineEvent[] = []
  await using lock = await MySqlLock.take({ settings: database.address, name: database.name, timeoutMs: 5_000 })
  await using source = new MySqlSource({ settings: database.address, table, pageRows })
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare()
  const startedMs = performance.now()
  const { failed } = await runPass({
    table,
    ledger,
    source: setup.watchSource?.(source) ?? source,
    lease: setup.lease ?? leaseUntil(),
    open: async () => archiver,
    settleMs,
    retry,
    onEvent: (event) => events.push(event),
  })
  return { events, failed, elapsedMs: performance.now() - startedMs }
}
