import type { Archiver, IdRange } from '@archiver/core'
import { leaseWhile } from '@archiver/core'
import { storeLate } from '@archiver/core/engine'
import type { Verification } from '@archiver/core/reconcile'
import { MySqlLedger, MySqlLock, type MySqlSource } from '@archiver/mysql'
import type { Wiring } from '../archivers.js'
import { count } from '../report/quantities.js'
import { confirmed } from './confirmed.js'

export interface RepairJob {
  readonly wiring: Wiring
  readonly archiver: Archiver
  readonly source: MySqlSource
  readonly signal: AbortSignal
  /** Do not ask. */
  readonly yes: boolean
  readonly found: Verification
}

/**
 * Stores the rows that were found missing, each run of them as a batch of its own; the mark stays where it is. Asks first,
 * then takes the lock.
 *
 * @returns false where the person says no.
 */
export async function repair({ wiring, archiver, source, signal, yes, found }: RepairJob): Promise<boolean> {
  const { missing, counts, missingMore } = found
  const what = `${archiver.name}: store the ${missingMore ? 'first of the ' : ''}${count(counts.missing)} missing rows`
  if (!yes && !(await confirmed(`${what} (${batches(missing)})?`))) return false
  const { settings, table, lock: names } = wiring
  const { mysql, lock: wait, settleMs } = settings
  await using lock = await MySqlLock.take({ settings: mysql, ...names, timeoutMs: wait.timeoutMs, signal })
  const ledger = new MySqlLedger(lock.connection, table)
  await ledger.prepare({ rejectReadOnly: mysql.rejectReadOnly })
  const lease = leaseWhile(lock, signal)
  const late = { archiver, table, ledger, source, lease, settleMs, onEvent: () => undefined }
  for (const range of missing) await storeLate(late, range)
  return true
}

function batches({ length }: readonly IdRange[]): string {
  return length === 1 ? 'one batch' : `${count(length)} batches`
}
