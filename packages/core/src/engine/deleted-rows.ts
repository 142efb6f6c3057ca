import type { Source } from '../contract/source.js'

/** What the rule needs to know of the source. */
export type IdHistory = Pick<Source, 'nextId' | 'existingIds'>

/**
 * Which of these ids a deletion does not explain. The source has deleted a row when it has handed the id out (the id is
 * below the next one) and no row has the id now. All other ids that only an archive holds need an operator: the source has
 * such a row and did not return it, or has not handed the id out yet (a failover to a replica that lagged).
 *
 * @param ids - ascending; at most some thousands.
 */
export async function notDeleted(source: IdHistory, ids: readonly bigint[]): Promise<bigint[]> {
  // First: an id that is handed out after this query counts as not handed out.
  const nextId = await source.nextId()
  const existing = new Set(await source.existingIds(ids))
  return ids.filter((id) => id >= nextId || existing.has(id))
}
