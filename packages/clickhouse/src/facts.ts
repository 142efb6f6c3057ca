import type { Facts, Link } from './link.js'
import { optionalRows } from './optional-rows.js'
import { literal } from './table.js'

/** Insert what is sent, all of it and at once, and answer when it is there. */
const wantedSettings: Readonly<Record<string, string>> = {
  async_insert: '0',
  insert_deduplicate: '0',
  insert_distributed_sync: '1',
}

const fsyncSetting = 'fsync_after_insert'

/** Where the user may not read the lists of settings, the version of the server tells. */
export async function readFacts(link: Link): Promise<Facts> {
  const wanted = Object.keys(wantedSettings)
  const list = wanted.map(literal).join(', ')
  const found = await optionalRows(link, `SELECT name FROM system.settings WHERE name IN (${list})`)
  const known = found?.map(({ name }) => name!) ?? ((await isSince(link, 21, 11)) ? wanted : [])
  const fsync = await optionalRows(link, `SELECT name FROM system.merge_tree_settings WHERE name = '${fsyncSetting}'`)
  const syncs = fsync === undefined ? await isSince(link, 20, 10) : fsync.length > 0
  return {
    insertSettings: Object.fromEntries(known.map((name) => [name, wantedSettings[name]!])),
    tableSettings: syncs ? [`${fsyncSetting} = 1`] : [],
  }
}

async function isSince(link: Link, year: number, month: number): Promise<boolean> {
  const [row] = await link.rows('SELECT version() AS version')
  const [major = 0, minor = 0] = (row?.version ?? '').split('.').map(Number)
  return major > year || (major === year && minor >= month)
}
