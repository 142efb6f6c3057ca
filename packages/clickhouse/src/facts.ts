import type { Link } from './link.js'
import { literal } from './table.js'

/** Insert what is sent, all of it and at once, and answer when it is there. */
const wantedSettings: Readonly<Record<string, string>> = {
  async_insert: '0',
  insert_deduplicate: '0',
  insert_distributed_sync: '1',
}

/** What a ClickHouse can do: an unknown setting is an error, and 18.16 and 26.7 do not know the same. */
export interface Facts {
  /** Settings to send with an insert. */
  readonly insertSettings: Readonly<Record<string, string>>
  /** Settings of a table that make an insert wait for the disk. */
  readonly tableSettings: readonly string[]
}

export async function readFacts(link: Link): Promise<Facts> {
  const wanted = Object.keys(wantedSettings).map(literal).join(', ')
  const found = await link.rows(`SELECT name FROM system.settings WHERE name IN (${wanted})`)
  const fsync = await link.rows("SELECT name FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'")
  return {
    insertSettings: Object.fromEntries(found.map(({ name }) => [name!, wantedSettings[name!]!])),
    tableSettings: fsync.map(({ name }) => `${name} = 1`),
  }
}
