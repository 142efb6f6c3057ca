import type { IdRange } from '@archiver/core'
import type { Link } from './link.js'
import { optionalRows } from './optional-rows.js'
import { literal, quoted } from './table.js'

/** Where a part of the table lies: its ids and its days, first and last. */
interface Span {
  readonly firstId: bigint
  readonly lastId: bigint
  readonly firstDay: number
  readonly lastDay: number
}

/** First and last day, since 1970. */
export type Days = readonly [first: number, last: number]

/** Parts come and go while they are looked at; so often the list is asked for anew. */
const tries = 10

/**
 * On which days a table has rows of a range of ids. There is no key on `id`, but a part never changes: what it spans is
 * asked once, which reads its ids, and remembered under its name. Without that, every question about a few rows of last
 * week would read the ids of all years.
 */
export class PartSpans {
  readonly #table: string
  readonly #where: string
  #spans = new Map<string, Span>()

  constructor(database: string, table: string) {
    this.#table = `${quoted(database)}.${quoted(table)}`
    this.#where = `database = ${literal(database)} AND table = ${literal(table)}`
  }

  /**
   * Days that hold all rows of the range, in order and apart; none where there is no such row. Undefined where nothing is
   * known: the table is kept elsewhere (`Distributed`), the user may not read `system.parts`, or parts change faster than
   * they are read.
   */
  async daysOf(link: Link, range: IdRange): Promise<Days[] | undefined> {
    if (!(await this.#refresh(link))) return undefined
    return joined(this.#within(range).map(({ firstDay, lastDay }) => [firstDay, lastDay]))
  }

  /** The lowest id of the range that a row may have, after a call of {@link daysOf}; undefined where there is no row. */
  nextId(range: IdRange): bigint | undefined {
    const ids = this.#within(range).map(({ firstId }) => (firstId > range.afterId ? firstId : range.afterId + 1n))
    return ids.reduce<bigint | undefined>((low, id) => (low === undefined || id < low ? id : low), undefined)
  }

  #within({ afterId, upToId }: IdRange): Span[] {
    return [...this.#spans.values()].filter(({ firstId, lastId }) => firstId <= upToId && lastId > afterId)
  }

  async #refresh(link: Link): Promise<boolean> {
    for (let left = tries; left > 0; left--) {
      const parts = await optionalRows(link, `SELECT name FROM system.parts WHERE ${this.#where} AND active`)
      if (parts === undefined) return false
      const names = parts.map(({ name }) => name!)
      this.#forget(names)
      const unknown = names.filter((name) => !this.#spans.has(name))
      if (unknown.length === 0) return names.length > 0
      await this.#learn(link, unknown)
    }
    return false
  }

  #forget(active: readonly string[]): void {
    const names = new Set(active)
    for (const name of this.#spans.keys()) if (!names.has(name)) this.#spans.delete(name)
  }

  async #learn(link: Link, names: readonly string[]): Promise<void> {
    const some = this.#spans.size === 0 ? '' : `WHERE _part IN (${names.map(literal).join(', ')})`
    const rows = await link.rows(`SELECT _part AS part, toString(min(id)) AS low, toString(max(id)) AS high,
      toString(toUInt16(min(dt))) AS first, toString(toUInt16(max(dt))) AS last
      FROM ${this.#table} ${some} GROUP BY _part`)
    for (const { part, low, high, first, last } of rows) {
      // Aggregates over at least one row.
      const [firstId, lastId] = [BigInt(low!), BigInt(high!)]
      this.#spans.set(part!, { firstId, lastId, firstDay: Number(first), lastDay: Number(last) })
    }
  }
}

/** Days that follow each other, or overlap, as one. */
function joined(days: Days[]): Days[] {
  const apart: Days[] = []
  for (const [first, last] of days.sort(([a], [b]) => a - b)) {
    const previous = apart.at(-1)
    if (previous === undefined || first > previous[1] + 1) apart.push([first, last])
    else apart[apart.length - 1] = [previous[0], Math.max(previous[1], last)]
  }
  return apart
}
