import type { InsertIds } from './link.js'

/** The query id of a batch's insert; they are counted from 1. @param batchId - of the first. */
export function partId(batchId: string, part: number): string {
  return part === 1 ? batchId : `${batchId}.${part}`
}

/**
 * The HTTP sessions of a batch's inserts. They use two in turn: a server may still hold a session for a moment after it has
 * answered the insert, and would refuse the next one in it.
 */
export function sessionsOf(batchId: string): readonly [string, string] {
  return [batchId, partId(batchId, 2)]
}

/** How the server knows an insert of a batch. */
export function insertIds(batchId: string, part: number): InsertIds {
  return { queryId: partId(batchId, part), sessionId: sessionsOf(batchId)[part % 2 === 1 ? 0 : 1] }
}
