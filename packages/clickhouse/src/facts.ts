import { dsnError } from './dsn-error.js'
import type { Link } from './link.js'
import { literal } from './table.js'

/** Insert only what is sent, at once, and answer when it is there; each sent only where the server knows it. */
const insertSettings: Readonly<Record<string, string>> = {
  async_insert: '0',
  insert_deduplicate: '0',
  insert_distributed_sync: '1',
}

/** What a ClickHouse can do: 18.16 and 26.7 differ. */
export interface Facts {
  /** Settings to send with an insert. */
  readonly insertSettings: Readonly<Record<string, string>>
  /** Settings of a table that make an insert wait for the disk. */
  readonly tableSettings: readonly string[]
}

/** @throws ArchiverError for a setting of the DSN that this ClickHouse does not know. */
export async function readFacts(link: Link, dsnSettings: Readonly<Record<string, string>>): Promise<Facts> {
  const wanted = [...Object.keys(insertSettings), ...Object.keys(dsnSettings)].map(literal).join(', ')
  const found = await link.rows(`SELECT name FROM system.settings WHERE name IN (${wanted})`)
  const known = new Set(found.map(({ name }) => name))
  const unknown = Object.keys(dsnSettings).find((name) => !known.has(name))
  if (unknown) throw dsnError(`${unknown}= is neither a parameter nor a setting that the server knows`)
  const fsync = await link.rows("SELECT name FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'")
  return {
    insertSettings: Object.fromEntries(Object.entries(insertSettings).filter(([name]) => known.has(name))),
    tableSettings: fsync.map(({ name }) => `${name} = 1`),
  }
}
