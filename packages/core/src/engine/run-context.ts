import type { Archiver } from '../contract/archiver.js'
import type { Lease } from '../contract/lease.js'
import type { Ledger } from '../contract/ledger.js'
import type { Source } from '../contract/source.js'
import type { OnEvent } from './events.js'
import type { Watch } from './holes.js'

/** What one archiver works with in a run. */
export interface RunContext {
  readonly table: string
  readonly archiver: Archiver
  readonly ledger: Ledger
  readonly source: Source
  readonly lease: Lease
  readonly settleMs: number
  readonly watch: Watch
  /** Rows that an operator has taken out, ascending. */
  readonly skipped: BigUint64Array
  readonly onEvent: OnEvent
}
