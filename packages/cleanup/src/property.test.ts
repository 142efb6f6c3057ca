import { setTimeout as delay } from 'node:timers/promises'
import { ArchiverError, type FaultPoint, type LogScore, lowerId } from '@archiver/core'
import { askRows } from '@archiver/mysql'
import { insertRows, type MySqlDatabase, type SourceRow, seededRandom } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { expect, test } from 'vitest'
import type { CleanupOptions } from './options.js'
import type { CleanupResult } from './result.js'
import { withFaultHook } from './testing/fault-hook.js'
import { DAY_S, Workbench } from './testing/workbench.js'

// Tables, marks, archives, clocks and what an operator does meanwhile, all made from a seed. CLEANUP_SEED plays one.
const first = Number(process.env.CLEANUP_SEED ?? 1)
const seeds = Array.from({ length: process.env.CLEANUP_SEED ? 1 : 60 }, (_, i) => first + i)

await describeWithMySql('whatever happens', (database) => {
  test.each(seeds)('no row is deleted that is young, unarchived or above a mark (seed %i)', async (seed) => {
    await using world = await World.make(database, seed)
    for (let run = 0; run < 3; run++) await world.run()
    await world.check()
  })
})

class World implements AsyncDisposable {
  private readonly bench: Workbench
  private readonly operator: Connection
  private readonly random: () => number
  private readonly retentionDays: number
  /** What the server's clock is ahead of the real one, and the host's. */
  private readonly serverAheadS: number
  private readonly hostAheadS: number
  private readonly verify: CleanupOptions['policy']['verify'] & string
  private readonly meddles: boolean
  private before: LogScore[] = []
  private damaged = false
  /** The lowest mark at the start, null where there was none for an archiver. Marks are only lowered. */
  private lowest: bigint | null = null
  /** Rows that were there after an operator said that they are needed. */
  private readonly needed = new Set<bigint>()
  private readonly deeds: Promise<void>[] = []
  private readonly results: CleanupResult[] = []

  private constructor(bench: Workbench, operator: Connection, random: () => number) {
    this.bench = bench
    this.operator = operator
    this.random = random
    this.retentionDays = this.pick([1, 2, 14])
    this.serverAheadS = this.pick([0, 0, -200, 200, 3 * DAY_S])
    this.hostAheadS = this.pick([this.serverAheadS, this.serverAheadS, this.serverAheadS - 250, 0])
    this.verify = this.pick(['count', 'rows', 'off'] as const)
    this.meddles = random() < 0.7
  }

  static async make(database: MySqlDatabase, seed: number): Promise<World> {
    // Neighbouring seeds begin alike.
    const random = seededRandom(seed * 0x9e3779b1)
    const names = ['one', 'two', 'three'].slice(0, 1 + Math.floor(random() * 3))
    const bench = await Workbench.open(database, names, `property_${seed}`)
    const world = new World(bench, await database.connect(), random)
    await askRows(bench.control, `set timestamp = ${Math.floor(Date.now() / 1000) + world.serverAheadS}`)
    await bench.query(`update ${bench.table}_archive_status set modified_on = '2020-01-01' where archiver = 'cleanup'`)
    await insertRows(bench.connection, bench.table, world.rows())
    await world.fill(names)
    return world
  }

  /** One run of the cleaner, with an operator at work in the middle. */
  async run(): Promise<void> {
    const now = () => Date.now() + this.hostAheadS * 1_000
    const { retentionDays, verify } = this
    const policy = { retentionDays, verify, maxRows: this.pick([20, 1_000, 200_000]) }
    const clean = () => this.bench.clean({ now, policy, throttle: { maxLagMs: 0 } })
    try {
      this.results.push(await withFaultHook((point) => this.maybeMeddle(point), clean))
    } catch (error) {
      if (!(error instanceof ArchiverError && error.retryable)) throw error
    } finally {
      await Promise.all(this.deeds.splice(0))
    }
  }

  async check(): Promise<void> {
    const left = new Set((await this.bench.sourceRows()).map(({ id }) => id))
    const deleted = this.before.filter(({ id }) => !left.has(id))
    for (const row of deleted) this.checkDeleted(row)
    if (this.quiet) this.checkAllDeleted(deleted.length)
    for (const id of this.needed) expect(left, `row ${id} was needed`).toContain(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator.end()
    await this.bench[Symbol.asyncDispose]()
  }

  private checkDeleted({ id, tsSeconds, serverId }: LogScore): void {
    expect(this.lowest, `row ${id}: an archiver had no mark`).not.toBeNull()
    expect(id < this.lowest!, `row ${id} is above a mark`).toBe(true)
    expect(tsSeconds, `row ${id} is young`).toBeLessThan(this.cutoffSeconds())
    if (this.verify === 'off') return
    for (const shelf of this.bench.shelves.values()) {
      const held = shelf.rows.filter((row) => row.id === id)
      expect(held, `row ${id} on shelf ${shelf.name}`).toMatchObject([{ id, tsSeconds, serverId }])
    }
  }

  /** Nothing stood against it: then it must have been done. */
  private get quiet(): boolean {
    return !this.meddles && !this.damaged && this.lowest !== null && this.clocksAgree
  }

  private get clocksAgree(): boolean {
    return Math.abs(this.hostAheadS - this.serverAheadS) < 290
  }

  private checkAllDeleted(deleted: number): void {
    if (this.results.every(({ end }) => end.why === 'full')) return
    const cutoff = this.cutoffSeconds() - 60
    const soon = this.before.findIndex(({ tsSeconds }) => tsSeconds >= cutoff && tsSeconds < cutoff + DAY_S + 60)
    const due = this.before.filter(
      (row, i) => row.id < this.lowest! && row.tsSeconds < cutoff && (soon < 0 || i < soon),
    )
    expect(deleted).toBeGreaterThanOrEqual(due.length)
  }

  private cutoffSeconds(): number {
    return Date.now() / 1000 + this.serverAheadS - this.retentionDays * DAY_S
  }

  private *rows(): Generator<SourceRow> {
    let id = 0n
    for (let i = 0; i < 150; i++) {
      id += BigInt(this.random() < 0.7 ? 1 : 1 + Math.floor(this.random() * 900))
      // Time goes on with the ids, by and large; most of it is before the cutoff.
      const awayDays = this.random() < 0.03 ? 400 : (i / 150 - 0.75) * 6 + (this.random() - 0.5) * 0.2
      const tsSeconds = Math.round(this.cutoffSeconds() + awayDays * DAY_S)
      const plain = { monitorId: 1, serverId: 1 + (i % 7), score: 19.1, step: 1, offset: 0.1, rtt: 20 }
      yield { id, tsSeconds, attributes: null, ...plain }
    }
  }

  /** Fills the shelves up to random marks, and leaves some rows out. */
  private async fill(names: readonly string[]): Promise<void> {
    this.before = await this.bench.sourceRows()
    const marks: (bigint | null)[] = []
    for (const name of names) {
      const mark = this.random() < 0.1 ? null : this.pick(this.before.slice(50)).id
      const rows = this.before.filter(({ id }) => mark !== null && id <= mark)
      const shelf = this.bench.shelf(name)
      shelf.put(rows.filter(() => this.random() > 0.02))
      if (this.random() < 0.2 && rows.length > 0) this.damage(name, this.pick(rows))
      await this.bench.mark(name, mark)
      marks.push(mark)
    }
    this.lowest = marks.includes(null) ? null : (marks as bigint[]).reduce(lowerId)
  }

  private damage(name: string, row: LogScore): void {
    this.damaged = true
    this.bench.shelf(name).put([this.random() < 0.5 ? row : { ...row, serverId: 99 }])
  }

  /** Now and then, while the cleaner is at this point. It goes on when that is done, or soon: it may hold what is needed. */
  private async maybeMeddle(point: FaultPoint): Promise<void> {
    if (!this.meddles || !point.startsWith('cleanup.') || this.random() < 0.8) return
    const deed = this.meddle()
    this.deeds.push(deed)
    await Promise.race([deed, delay(20)])
  }

  private async meddle(): Promise<void> {
    const { id } = this.pick(this.before)
    const name = this.pick([...this.bench.shelves.keys(), 'added'])
    const mark = this.random() < 0.2 ? null : id
    const status = `${this.bench.table}_archive_status`
    const lower = `insert into ${status} (archiver, log_score_id) values (?, ?) on duplicate key update log_score_id =
      if(values(log_score_id) is null, null, least(log_score_id, values(log_score_id)))`
    try {
      await this.operator.query(lower, [name, mark])
    } catch {
      return // A mark cannot point to a row that is gone; and a deadlock leaves all as it was.
    }
    const [rows] = await this.operator.query<never[]>(
      `select id from ${this.bench.table} where id >= (select coalesce(log_score_id, 0) from ${status} where archiver = ?)`,
      [name],
    )
    for (const { id: needed } of rows as { id: number }[]) this.needed.add(BigInt(needed))
  }

  private pick<T>(choices: readonly T[]): T {
    // The index is below the length.
    return choices[Math.floor(this.random() * choices.length)] as T
  }
}
