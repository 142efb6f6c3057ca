import type { SourceDatabase } from '@archiver/core'
import { MySqlDatabase } from '@archiver/mysql'
import type { Wiring } from './archivers.js'

/** The database that the settings name: a line for each kind. */
export function sourceDatabase({ settings: { mysql }, lock }: Pick<Wiring, 'settings' | 'lock'>): SourceDatabase {
  return new MySqlDatabase({ settings: mysql, lock, rejectReadOnly: mysql.rejectReadOnly })
}
