import { ArchiverError } from '@archiver/core'
import type { Link } from './link.js'

/** The rows of a small answer about something that the archiver can do without; undefined where the user may not ask. */
export async function optionalRows(link: Link, sql: string): Promise<Record<string, string>[] | undefined> {
  try {
    return await link.rows(sql)
  } catch (thrown) {
    if (thrown instanceof ArchiverError && thrown.code === 'CLICKHOUSE_DENIED') return undefined
    throw thrown
  }
}
