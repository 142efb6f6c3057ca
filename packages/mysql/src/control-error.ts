import { ArchiverError } from '@archiver/core'
import { isMissingTable, statementError } from './mysql-errors.js'
import { controlTableNames, statusTableSql } from './tables.js'

/** Why a statement on the tables beside `table` failed; a status table that is missing means that nothing is turned on. */
export function controlError(error: unknown, doing: string, table: string): ArchiverError {
  const { sqlMessage = '' } = error as { sqlMessage?: string }
  const { status } = controlTableNames(table)
  if (!isMissingTable(error) || !sqlMessage.includes(status)) return statementError(error, doing, { table })
  return new ArchiverError(`there is no table ${status}: no archiver is turned on`, {
    code: 'STATUS_TABLE_MISSING',
    table,
    hint: `Run once: archiver init -t ${table}, or ${statusTableSql(table)}; insert into \`${status}\` (archiver) values ('fileavro'), ('clickhouse');`,
    cause: error,
  })
}
