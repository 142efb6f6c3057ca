import type { ArchiverStatus } from '../contract/ledger.js'
import { stampAheadWarning, type TableWarning } from '../contract/unarchived.js'

/** A stamp that is ahead of the server's clock by less may be rounding. */
const ROUNDING_MS = 1_000

/** The stamps of the status table that lie ahead of the server's clock. */
export function stampWarnings(rows: readonly ArchiverStatus[]): TableWarning[] {
  return rows
    .filter(({ ageMs }) => ageMs < -ROUNDING_MS)
    .map(({ archiver, ageMs }) => stampAheadWarning(archiver, -ageMs))
}
