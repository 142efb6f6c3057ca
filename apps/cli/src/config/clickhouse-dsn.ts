import { parseClickHouseDsn } from '@archiver/clickhouse/dsn'
import { ArchiverError } from '@archiver/core'
import { UnfitValue } from './problem.js'

/**
 * Reads a ClickHouse DSN as the adapter will, to see that it can; of the adapter only this is loaded at start.
 *
 * @throws UnfitValue
 */
export function checkClickHouseDsn(text: string): string {
  try {
    parseClickHouseDsn(text)
    return text
  } catch (error) {
    if (!(error instanceof ArchiverError)) throw error
    throw new UnfitValue(`cannot be used: ${error.message.replace(/^ch_dsn: /, '')}`, error.hint)
  }
}
