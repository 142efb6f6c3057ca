import { type Attributes, allocateChunk, type LogScoreChunk } from '@archiver/core'
import { type Cells, rowsPerPage } from './query.js'

/** Makes chunks of the pages of {@link readStatement}; a chunk is valid until the next is made. */
export class ChunkReader {
  readonly #columns = allocateChunk(rowsPerPage)

  /** @param page - `rowsPerPage` rows at most. */
  of(page: readonly Cells[]): LogScoreChunk {
    const columns = this.#columns
    const dictionary: Attributes[] = []
    const indexes = new Map<string, number>()
    page.forEach(([id, serverId, monitorId, tsSeconds, score, step, offset, rtt, leap, error], i) => {
      columns.id[i] = BigInt(id!)
      columns.serverId[i] = Number(serverId)
      columns.monitorId[i] = Number(monitorId)
      columns.tsSeconds[i] = Number(tsSeconds)
      columns.score[i] = Number(score)
      columns.step[i] = Number(step)
      columns.offset[i] = Number(offset)
      columns.offsetNull[i] = offset === null ? 1 : 0
      columns.rtt[i] = Number(rtt)
      columns.rttNull[i] = rtt === null ? 1 : 0
      columns.attributes[i] = indexOf(leap ?? null, error ?? null, dictionary, indexes)
    })
    return { ...columns, rows: page.length, dictionary }
  }
}

function indexOf(
  leap: string | null,
  error: string | null,
  dictionary: Attributes[],
  indexes: Map<string, number>,
): number {
  const key = `${leap ?? ''} ${error ?? ''}`
  const known = indexes.get(key)
  if (known !== undefined) return known
  indexes.set(key, dictionary.length)
  return dictionary.push({ leap: leap === null ? null : Number(leap), error, warning: null }) - 1
}
