import { type Attributes, allocateChunk, type LogScoreChunk } from '@archiver/core'
import { type Cells, rowsPerPage } from './query.js'

/** Makes chunks of the pages of {@link readStatement}; a chunk is valid until the next is made. */
export class ChunkReader {
  readonly #columns = allocateChunk(rowsPerPage)

  #chunkOf(rows: readonly Cells[], exact: boolean): LogScoreChunk {
    const columns = this.#columns
    const dictionary = new Dictionary(exact)
    rows.forEach((cells, i) => {
      const [id, serverId, monitorId, tsSeconds, score, step, offset, rtt] = cells
      columns.id[i] = BigInt(id!)
      columns.serverId[i] = Number(serverId)
      columns.monitorId[i] = Number(monitorId)
      columns.monitorIdNull[i] = monitorId === null ? 1 : 0
      columns.tsSeconds[i] = Number(tsSeconds)
      columns.score[i] = Number(score)
      columns.step[i] = Number(step)
      columns.offset[i] = Number(offset)
      columns.offsetNull[i] = offset === null ? 1 : 0
      columns.rtt[i] = Number(rtt)
      columns.rttNull[i] = rtt === null ? 1 : 0
      columns.attributes[i] = dictionary.indexOf(cells)
    })
    return { ...columns, rows: rows.length, dictionary: dictionary.entries, ...(exact ? { exact } : {}) }
  }

  /**
   * Rows of version 1 and of version 2 of the record are in chunks of their own.
   *
   * @param page - `rowsPerPage` rows at most.
   */
  *of(page: readonly Cells[]): Generator<LogScoreChunk> {
    for (let from = 0; from < page.length; ) {
      const exact = isExact(page[from]!)
      const end = page.findIndex((cells, i) => i > from && isExact(cells) !== exact)
      const to = end < 0 ? page.length : end
      yield this.#chunkOf(page.slice(from, to), exact)
      from = to
    }
  }
}

/** A row of version 2 says so. */
function isExact(cells: Cells): boolean {
  return cells[12] === '2'
}

class Dictionary {
  readonly entries: Attributes[] = []
  readonly #exact: boolean
  readonly #indexes = new Map<string, number>()

  constructor(exact: boolean) {
    this.#exact = exact
  }

  indexOf([, , , , , , , , leap = null, error = null, warning = null, json = null]: Cells): number {
    const key = JSON.stringify([leap, error, warning, json])
    const known = this.#indexes.get(key)
    if (known !== undefined) return known
    this.#indexes.set(key, this.entries.length)
    const entry = { leap: leap === null ? null : Number(leap), error, warning }
    return this.entries.push(this.#exact ? { ...entry, json } : entry) - 1
  }
}
