import type { EngineEvent } from '@archiver/core/engine'
import { count } from './quantities.js'

/** Rows of a batch that the archive holds and MySQL has deleted. */
export function deletedRowsText({ batch, rows }: Extract<EngineEvent, { event: 'batch.deleted-rows' }>): string {
  const { id, table } = batch
  const were = rows === 1 ? '1 row of this archive was' : `${count(rows)} rows of this archive were`
  return `batch ${id}: ${were} deleted from ${table} after they had been stored (a deleted server?); the archive keeps them`
}
