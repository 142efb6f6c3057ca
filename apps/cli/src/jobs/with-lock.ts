import { type ArchiverStatus, archiverOff, type Lease } from '@archiver/core'
import { connect, disconnect, MySqlLedger, MySqlLock, MySqlOperator, watchLockWaits } from '@archiver/mysql'
import type { Wiring } from '../archivers.js'
import { standardError } from '../standard-streams.js'

/** What an operator's command works with, while no archiver can run. */
export interface OperatorBench {
  readonly operator: MySqlOperator
  readonly status: ArchiverStatus
  /** Throws where the lock was lost: called right before something is written. */
  readonly lease: Lease
}

/** Takes the lock, so that nothing is archived meanwhile, and looks up the archiver. */
export async function withLock<T>(
  { settings, table, lock: names }: Wiring,
  archiver: string,
  work: (bench: OperatorBench) => Promise<T>,
): Promise<T> {
  using _waits = watchLockWaits(settings.mysql, (text) => standardError.line(`archiver: ${text}`))
  await using lock = await MySqlLock.take({ settings: settings.mysql, ...names, timeoutMs: settings.lock.timeoutMs })
  // The lock's session lives 8 s without a word; a person may think longer than that, so the work has its own.
  const connection = await connect(settings.mysql)
  try {
    const ledger = new MySqlLedger(connection, table)
    await ledger.prepare({ rejectReadOnly: settings.mysql.rejectReadOnly })
    const status = (await ledger.status()).find((row) => row.archiver === archiver)
    if (status === undefined) throw archiverOff(archiver, table)
    const answer = await work({ operator: new MySqlOperator(connection, table), status, lease: lock })
    lock.assertHeld()
    return answer
  } finally {
    await disconnect(connection)
  }
}
