import type { ArchiveRight } from '@archiver/core'
import { quoted } from './table.js'
import type { ClickHouseTarget } from './target.js'

/** What the user of a DSN needs, and what is lost without each. The engine inside this process asks for nothing. */
export function rightsFor(target: ClickHouseTarget, table: string): readonly ArchiveRight[] {
  if (target.kind === 'embedded') return []
  const place = `${quoted(target.database)}.${quoted(table)}`
  return [
    { right: `SELECT ON ${place}`, without: 'nothing works' },
    {
      right: `INSERT ON ${place}`,
      without: 'nothing is archived; verify, read and restore work, also with readonly=1',
    },
    { right: `CREATE TABLE ON ${place}`, without: 'create the table by hand, with the statement of init --dry-run' },
    {
      right: 'SELECT ON system.processes',
      without: 'whether an interrupted insert still runs is found out with 50 small statements instead of one',
    },
    {
      right: 'SELECT ON system.parts',
      without: 'read and restore without a time read the ids of all days',
    },
    {
      right: 'SELECT ON system.merge_tree_settings',
      without: 'whether the table can have fsync_after_insert is told by the version of the server',
    },
  ]
}
