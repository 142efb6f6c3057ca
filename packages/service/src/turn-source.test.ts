import { setTimeout as delay } from 'node:timers/promises'
import { allocateChunk, type LogScoreChunk, type ReadAheadSource, type SourceRange } from '@archiver/core'
import { beforeEach, expect, test } from 'vitest'
import { TurnSource } from './turn-source.js'
import { Turns } from './turns.js'

const forever = new AbortController().signal

/** Counts who reads; ten rows a chunk. */
class CountingSource implements Partial<ReadAheadSource> {
  static reading = 0
  static most = 0
  reads: SourceRange[] = []
  ahead = 0

  async *read(range: SourceRange, soonUpToId = range.upToId): AsyncGenerator<LogScoreChunk> {
    this.reads.push(range)
    CountingSource.reading += 1
    CountingSource.most = Math.max(CountingSource.most, CountingSource.reading)
    const columns = allocateChunk(10)
    try {
      for (let id = range.afterId; id < range.upToId; ) {
        await delay(1)
        let rows = 0
        while (rows < 10 && id < range.upToId) columns.id[rows++] = ++id
        yield { ...columns, rows, dictionary: [] }
      }
      if (soonUpToId > range.upToId) this.ahead += 1
    } finally {
      CountingSource.reading -= 1
    }
  }

  async endReadAhead(): Promise<void> {
    this.ahead = 0
  }
}

let turns: Turns
beforeEach(() => {
  turns = new Turns({ limit: 1, momentMs: 20, sliceMs: 60_000 })
  CountingSource.most = CountingSource.reading = 0
})

function reader(signal = forever, waits: boolean[] = []) {
  const counting = new CountingSource()
  // The tests read, and ask nothing else.
  const source = counting as unknown as ReadAheadSource
  return { counting, source: new TurnSource({ source, turns, signal, onWait: (waiting) => waits.push(waiting) }) }
}

async function ids(source: TurnSource, range: SourceRange, before: () => unknown = () => undefined): Promise<number[]> {
  const read: number[] = []
  for await (const chunk of source.read(range)) {
    await before()
    read.push(...Array.from(chunk.id.subarray(0, chunk.rows), Number))
  }
  return read
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

test('one reads at a time, and everybody gets every row once', async () => {
  const readers = [reader(), reader(), reader()]
  const all = await Promise.all(readers.map(({ source }) => ids(source, { afterId: 0n, upToId: 95n })))
  for (const read of all) expect(read).toEqual(upTo(95))
  expect(CountingSource.most).toBe(1)
  for (const { counting } of readers) expect(counting.reads).toHaveLength(1)
})

test('as many as are allowed read at a time', async () => {
  turns = new Turns({ limit: 2 })
  await Promise.all([reader(), reader(), reader()].map(({ source }) => ids(source, { afterId: 0n, upToId: 95n })))
  expect(CountingSource.most).toBe(2)
})

test('one whose archive takes nothing more for a moment holds up nobody, and goes on where it was', async () => {
  const [slow, quick] = [reader(), reader()]
  const stall = Promise.withResolvers<void>()
  let chunks = 0
  const slowly = ids(slow.source, { afterId: 0n, upToId: 95n }, () => (++chunks === 3 ? stall.promise : undefined))
  await delay(10)
  expect(await ids(quick.source, { afterId: 0n, upToId: 50n })).toEqual(upTo(50))
  stall.resolve()
  expect(await slowly).toEqual(upTo(95))
  expect(slow.counting.reads).toEqual([
    { afterId: 0n, upToId: 95n },
    { afterId: 30n, upToId: 95n },
  ])
  expect(CountingSource.most).toBe(1)
})

test('a turn is over after its slice, if others wait', async () => {
  turns = new Turns({ limit: 1, momentMs: 60_000, sliceMs: 10 })
  const [one, two] = [reader(), reader()]
  const range = { afterId: 0n, upToId: 500n }
  const [first, second] = await Promise.all([ids(one.source, range), ids(two.source, range)])
  expect([first, second]).toEqual([upTo(500), upTo(500)])
  expect(one.counting.reads.length).toBeGreaterThan(1)
  expect(CountingSource.most).toBe(1)
})

test('what is read ahead keeps the turn until somebody waits', async () => {
  const [one, two] = [reader(), reader()]
  for await (const _ of one.source.read({ afterId: 0n, upToId: 20n }, 40n));
  for await (const _ of one.source.read({ afterId: 20n, upToId: 40n }, 60n));
  expect(one.counting.ahead).toBe(2)
  expect(await ids(two.source, { afterId: 0n, upToId: 20n })).toEqual(upTo(20))
  expect(one.counting.ahead).toBe(0)
  expect(CountingSource.most).toBe(1)
})

test('a reader that stops early, or fails, gives its turn back', async () => {
  const [one, two] = [reader(), reader()]
  for await (const _ of one.source.read({ afterId: 0n, upToId: 95n })) break
  const failing = ids(one.source, { afterId: 0n, upToId: 95n }, () => Promise.reject(new Error('sink')))
  await expect(failing).rejects.toThrow('sink')
  expect(await ids(two.source, { afterId: 0n, upToId: 20n })).toEqual(upTo(20))
})

test('who waits for a turn is told to wait, and stops waiting when the lock is gone', async () => {
  const gone = new AbortController()
  const waits: boolean[] = []
  const [one, two] = [reader(), reader(gone.signal, waits)]
  const held = one.source.read({ afterId: 0n, upToId: 95n })
  await held.next()
  turns = new Turns({ limit: 1 })
  const waiting = ids(two.source, { afterId: 0n, upToId: 20n })
  gone.abort(new Error('lost'))
  await expect(waiting).rejects.toThrow('lost')
  expect(waits).toEqual([true, false])
  await held.return(undefined)
  expect(CountingSource.reading).toBe(0)
})
