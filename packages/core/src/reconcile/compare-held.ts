import type { BatchSource } from '../contract/batch.js'
import type { Lease } from '../contract/lease.js'
import { joinRows } from './join-rows.js'
import { type IdCursor, RowCursor } from './row-cursor.js'
import { NamedRows, RowsNotInSource } from './rows-not-in-source.js'

/** The rows that an archive holds of a batch's range. */
export interface HeldCursor extends IdCursor {
  readonly serverId: number
  readonly tsSeconds: number
}

/** What an archive holds of a batch. */
export interface ComparedRows {
  /** Of the rows that the source has too, ascending, each found with its server and time. */
  readonly ids: BigUint64Array
  /** Rows of the source. */
  readonly sourceRows: number
  /** Rows of the archive that were deleted from the source since. */
  readonly deletedRows: number
  /** Rows of the archive that no deletion explains: with an id that the source does not have, or has with other values. */
  readonly foreign: NamedRows
  /** Rows that the archive has more than once. */
  readonly doubled: NamedRows
}

/** Questions of the lease are this many rows of the archive apart. */
const ROWS_A_CHECK = 10_000

/**
 * Compares what an archive holds of a batch with the source, row by row, for {@link Archiver.findStored}: a row is the same where
 * id, server and time are.
 */
export async function compareHeld(batchSource: BatchSource, held: HeldCursor, lease: Lease): Promise<ComparedRows> {
  const others = new RowsNotInSource(batchSource)
  const doubled = new NamedRows()
  const ids = new IdList()
  let rows = 0
  const onRow = (): void => {
    if (rows++ % ROWS_A_CHECK === 0) lease.assertHeld()
  }
  await using source = await RowCursor.open(batchSource.read(), () => lease.assertHeld())
  await joinRows(source, held, {
    both(id) {
      onRow()
      const difference = differenceOf(held, source)
      if (difference !== undefined) others.addDifferent(id, difference)
      else if (ids.last === id) doubled.add(`${id}`)
      else ids.push(id)
    },
    onlyArchive(id) {
      onRow()
      return others.add(id)
    },
    // All rows are read: the source compares one read with the next.
    source: () => undefined,
  })
  await others.settle()
  const { foreign, deletedRows } = others
  return { ids: ids.toArray(), sourceRows: source.rowsBefore, deletedRows, foreign, doubled }
}

type RowPlace = Pick<HeldCursor, 'serverId' | 'tsSeconds'>

function differenceOf(held: RowPlace, source: RowPlace): string | undefined {
  if (held.serverId === source.serverId && held.tsSeconds === source.tsSeconds) return undefined
  return `there ${whose(held)}, in the source ${whose(source)}`
}

function whose({ serverId, tsSeconds }: RowPlace): string {
  return `of server ${serverId} at ${new Date(tsSeconds * 1000).toISOString().replace('.000Z', 'Z')}`
}

/** Ids of rows, eight bytes each. */
class IdList {
  last: bigint | undefined
  #ids = new BigUint64Array(1_024)
  #length = 0

  push(id: bigint): void {
    if (this.#length === this.#ids.length) {
      const larger = new BigUint64Array(2 * this.#length)
      larger.set(this.#ids)
      this.#ids = larger
    }
    this.#ids[this.#length++] = id
    this.last = id
  }

  toArray(): BigUint64Array {
    return this.#ids.slice(0, this.#length)
  }
}
