import {
  type BatchSource,
  type Lease,
  type LogScore,
  type LogScoreChunk,
  type PlannedBatch,
  rowsFromChunk,
} from '@archiver/core'
import { describe, expect, it } from 'vitest'
import { checks, runCheck } from './describe-archiver.js'
import { MemoryArchiver } from './memory-archiver.js'
import type { ConformanceSubject, DiskStep } from './subject.js'

/** What lies on a shelf in memory: rows by their day, temporary rows by their name, and what was done in which order. */
class Shelf {
  readonly rows = new Map<bigint, LogScore>()
  readonly dayOf = new Map<bigint, number>()
  readonly temporary = new Map<string, LogScore[]>()
  readonly names = new Map<string, bigint>()
  log: DiskStep[] = []
}

const shelves = new Map<string, Shelf>()
const DAY_SECONDS = 86_400
let files = 0

/** The memory adapter as an archive of files has its steps. Each mutant below leaves out or changes one of them. */
class ShelfArchiver extends MemoryArchiver {
  readonly table: string

  constructor(table: string) {
    super(shelfOf(table).rows)
    this.table = table
  }

  get shelf(): Shelf {
    return shelfOf(this.table)
  }

  override async prepare(): Promise<void> {
    this.shelf.temporary.clear()
  }

  override async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease) {
    const name = this.temporaryName(batch)
    this.shelf.temporary.set(name, [])
    try {
      return await this.write(batch, name, chunks, lease)
    } finally {
      this.shelf.temporary.delete(name)
    }
  }

  async write(batch: PlannedBatch, name: string, chunks: AsyncIterable<LogScoreChunk>, lease: Lease) {
    let count = 0
    for await (const chunk of chunks) {
      this.ask(lease)
      for (const row of rowsFromChunk(chunk)) {
        this.shelf.temporary.get(name)?.push(this.kept(row))
        count += 1
      }
    }
    this.ask(lease)
    const rows = this.shelf.temporary.get(name)
    if (count > 0) this.publish(batch, rows)
    return { rows: count, bytes: count * 49, identity: count === 0 ? '' : this.identity(batch) }
  }

  publish(batch: PlannedBatch, rows: readonly LogScore[] | undefined): void {
    if (rows === undefined) throw new Error('the temporary file is gone')
    this.sync()
    const name = `${rows[0]!.id}`
    if (this.shelf.names.has(name) && this.shelf.names.get(name) !== batch.id) this.taken(name)
    this.shelf.names.set(name, batch.id)
    for (const row of rows) {
      this.rows.set(row.id, row)
      this.shelf.dayOf.set(row.id, this.day(row, rows[0]!))
    }
    this.shelf.log.push('publish')
    this.syncFolder()
  }

  temporaryName(_batch: PlannedBatch): string {
    return `temporary ${files++}`
  }
  ask(lease: Lease): void {
    lease.assertHeld()
  }
  kept(row: LogScore): LogScore {
    return row
  }
  identity(batch: PlannedBatch): string {
    return `batch ${batch.id}`
  }
  sync(): void {
    this.shelf.log.push('sync')
  }
  syncFolder(): void {
    this.shelf.log.push('sync folder')
  }
  taken(name: string): void {
    throw new Error(`${name} is taken`)
  }
  day({ tsSeconds }: LogScore, _first: LogScore): number {
    return Math.floor(tsSeconds / DAY_SECONDS)
  }
}

type Make = new (table: string) => ShelfArchiver

function shelfOf(table: string): Shelf {
  const shelf = shelves.get(table) ?? new Shelf()
  shelves.set(table, shelf)
  return shelf
}

function subjectOf(Adapter: Make): ConformanceSubject {
  return {
    open: async (table) => new Adapter(table),
    read: async (table) => [...shelfOf(new Adapter(table).table).rows.values()],
    wholeBatches: true,
    leftovers: async (table) => [...shelfOf(table).temporary.keys()],
    diskLog: (table) => {
      const { log } = shelfOf(table)
      shelfOf(table).log = []
      return log
    },
    misplaced: async (table) => {
      const { rows, dayOf } = shelfOf(table)
      const wrong = [...rows.values()].filter((row) => dayOf.get(row.id) !== Math.floor(row.tsSeconds / DAY_SECONDS))
      return wrong.map(({ id }) => `row ${id} is under another day`)
    },
  }
}

class WrongDay extends ShelfArchiver {
  override day(_row: LogScore, first: LogScore): number {
    return super.day(first, first)
  }
}
class AnswersNone extends ShelfArchiver {
  override async findStored(batch: PlannedBatch, source: BatchSource) {
    const found = await super.findStored(batch, source)
    return found.kind === 'some' ? { kind: 'none' as const } : found
  }
}
class Overwrites extends ShelfArchiver {
  override taken(): void {
    for (const id of this.rows.keys()) this.rows.delete(id)
  }
}
class NoSync extends ShelfArchiver {
  override sync(): void {}
}
class NoFolderSync extends ShelfArchiver {
  override syncFolder(): void {}
}
class AsksOnce extends ShelfArchiver {
  #asked = false
  override ask(lease: Lease): void {
    if (!this.#asked) super.ask(lease)
    this.#asked = true
  }
}
class SweepsNothing extends ShelfArchiver {
  override async prepare(): Promise<void> {}
}
class SameName extends ShelfArchiver {
  override temporaryName({ id }: PlannedBatch): string {
    return `temporary of batch ${id}`
  }
}
class OneTable extends ShelfArchiver {
  constructor(table: string) {
    super(table.replace('_other', ''))
  }
}
class LosesTexts extends ShelfArchiver {
  override kept({ json: _, ...row }: LogScore): LogScore {
    return row
  }
}
class LongIdentity extends ShelfArchiver {
  override identity(batch: PlannedBatch): string {
    return Array.from({ length: 200 }, (_, i) => `piece ${i} of batch ${batch.id}`).join(', ')
  }
}

describe('an archive in memory with the steps of files', () => {
  it.each(checks)('keeps the contract: $name', (check) => runCheck(check, subjectOf(ShelfArchiver)))
})

describe('the suite finds', () => {
  const mutants: readonly [string, Make, RegExp][] = [
    ['rows under the day of another row', WrongDay, /where readers look/],
    ['"none" where some are held', AnswersNone, /tells some of a range/],
    ["another batch's file overwritten", Overwrites, /begins with the first row of another/],
    ['no sync of the file', NoSync, /on disk before they get their name/],
    ['no sync of the folder', NoFolderSync, /on disk before they get their name/],
    ['a lease that is asked only once', AsksOnce, /lease that ends midway/],
    ['nothing swept', SweepsNothing, /removes what a process that died/],
    ['a temporary name used twice', SameName, /wakes up while its successor writes/],
    ["another table's rows read", OneTable, /tables are kept apart/],
    ['the text of attributes lost', LosesTexts, /text of attributes/],
    ['an identity without bound', LongIdentity, /identity of a batch/],
  ]
  it.each(mutants)('%s', async (_, Adapter, name) => {
    const check = checks.find((candidate) => name.test(candidate.name))!
    await expect(runCheck(check, subjectOf(Adapter))).rejects.toThrow()
  })
})
