import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { archivedRow, codecs, readAvroHeader } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { describe, expect, test } from 'vitest'
import { batch, goFile, namesIn, prepared, rowsIn, store, stored, testFolder } from './test-support.js'

const rows = ordinaryRows(300)
const name = `${rows[0]!.tsSeconds}-${rows[0]!.id}.avro`

test('a batch is one file, named after its first row, that says which batch it is', async () => {
  const folder = await testFolder()
  const archiver = await prepared(folder)
  const result = await store(archiver, batch(7n, rows), rows)
  expect(await namesIn(folder)).toEqual([name])
  expect(result).toEqual({ rows: 300, bytes: (await readFile(join(folder, name))).length, identity: name })
  expect((await readAvroHeader(join(folder, name))).metadata).toEqual({
    'archiver.table': 'log_scores',
    'archiver.batch': '7',
    'archiver.after': '1000000',
    'archiver.up_to': '1000300',
  })
  expect(await stored(archiver, batch(7n, rows), rows)).toEqual({ kind: 'all', result })
})

test('the rows of the Go program get the name it gave them', async () => {
  const folder = await testFolder()
  const source = await rowsIn(goFile)
  expect(await store(await prepared(folder), batch(1n, source), source)).toMatchObject({ identity: basename(goFile) })
  expect(await rowsIn(join(folder, basename(goFile)))).toEqual(source)
})

test.each(codecs)('the same batch twice is the same file, codec %s', async (codec) => {
  const folder = await testFolder()
  const archiver = await prepared(folder, { codec, rowsPerBlock: 64 })
  await store(archiver, batch(1n, rows), rows)
  const first = await readFile(join(folder, name))
  await store(archiver, batch(1n, rows), rows)
  expect(await readFile(join(folder, name))).toEqual(first)
  expect(await namesIn(folder)).toEqual([name])
})

test('a batch stored under other settings is complete all the same', async () => {
  const folder = await testFolder()
  const result = await store(await prepared(folder, { codec: 'deflate', rowsPerBlock: 10 }), batch(1n, rows), rows)
  const changed = await prepared(folder, { codec: 'null', rowsPerBlock: 1000, scope: 'another' })
  expect(await stored(changed, batch(1n, rows), rows)).toEqual({ kind: 'all', result })
  await store(changed, batch(1n, rows), rows)
  expect(await rowsIn(join(folder, name))).toEqual(rows.map(archivedRow))
})

test('warnings that the record has no field for are counted', async () => {
  const warned = rows.with(3, { ...rows[3]!, warning: 'odd' })
  const result = await store(await prepared(await testFolder()), batch(1n, warned), warned)
  expect(result.conversions).toEqual({ warningDropped: 1 })
})

test('a lease that ends between the last row and the name leaves no file', async () => {
  const folder = await testFolder()
  const archiver = await prepared(folder)
  let checks = 0
  const total = await countChecks()
  expect(total).toBeGreaterThan(3)
  for (let allowed = 0; allowed < total; allowed++) {
    checks = 0
    const lease = { signal: new AbortController().signal, assertHeld: () => endAfter(allowed) }
    await expect(archiver.store(batch(1n, rows), chunks(), lease)).rejects.toThrow('no more')
    expect(await namesIn(folder)).toEqual([])
  }

  function endAfter(allowed: number): void {
    if (checks++ === allowed) throw new Error('no more')
  }
  async function countChecks(): Promise<number> {
    const other = await prepared(await testFolder())
    await other.store(batch(1n, rows), chunks(), {
      signal: new AbortController().signal,
      assertHeld: () => endAfter(1e9),
    })
    return checks
  }
  async function* chunks() {
    const { chunksFromRows } = await import('@archiver/core')
    yield* chunksFromRows(rows, 100)
  }
})

describe('a name that is taken', () => {
  test('by another batch: both are named, the file stays', async () => {
    const folder = await testFolder()
    const archiver = await prepared(folder)
    await store(archiver, batch(1n, rows), rows)
    const before = await readFile(join(folder, name))
    const again = rows.slice(0, 200)
    await expect(store(archiver, batch(2n, again), again)).rejects.toMatchObject({
      code: 'AVRO_FILE_TAKEN',
      message: expect.stringMatching(
        /batch 1 of log_scores \(ids above 1000000, up to 1000300\).*batch 2 of log_scores \(ids above 1000000, up to 1000200\)/,
      ),
    })
    expect(await readFile(join(folder, name))).toEqual(before)
    expect(await namesIn(folder)).toEqual([name])
  })

  test('by the Go program with these rows: its file is ours', async () => {
    const { folder, archiver, source } = await besideGo()
    const before = await readFile(goFile)
    const result = await store(archiver, batch(1n, source), source)
    expect(result).toEqual({ rows: 1000, bytes: before.length, identity: basename(goFile) })
    expect(await readFile(join(folder, basename(goFile)))).toEqual(before)
    expect(await stored(archiver, batch(1n, source), source)).toEqual({ kind: 'all', result })
  })

  test.each([
    ['fewer', (source: readonly unknown[]) => source.slice(0, 900), /goes on with row 1000901/],
    ['more', (source: readonly object[]) => [...source, { ...source[0], id: 2_000_000n }], /ends before row 2000000/],
    ['other', (source: readonly object[]) => source.with(500, { ...source[500], rtt: 1 }), /row 1000501, column rtt/],
  ])('by the Go program with %s rows: the difference is named, the file stays', async (_, change, message) => {
    const { folder, archiver, source } = await besideGo()
    const changed = change(source) as typeof source // rows again, whatever was done to them
    const result = store(archiver, batch(1n, changed), changed)
    await expect(result).rejects.toMatchObject({ code: 'AVRO_FILE_TAKEN', message: expect.stringMatching(message) })
    expect(await readFile(join(folder, basename(goFile)))).toEqual(await readFile(goFile))
  })

  test.each([0, 3, 100, 20_000])('by a file of the Go program cut after %i bytes: it is replaced', async (length) => {
    const { folder, archiver, source } = await besideGo()
    const path = join(folder, basename(goFile))
    await truncate(path, length)
    expect(await stored(archiver, batch(1n, source), source)).toEqual({ kind: 'none' })
    await store(archiver, batch(1n, source), source)
    expect(await rowsIn(path)).toEqual(source)
  })

  test('by this batch, but damaged since: it is replaced', async () => {
    const folder = await testFolder()
    const archiver = await prepared(folder)
    const { bytes } = await store(archiver, batch(1n, rows), rows)
    await truncate(join(folder, name), bytes - 100)
    expect(await stored(archiver, batch(1n, rows), rows)).toEqual({ kind: 'none' })
    expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ bytes })
  })

  test('by an Avro file of another record: it is named and stays', async () => {
    const folder = await testFolder()
    const archiver = await prepared(folder)
    const foreign = Buffer.from((await readFile(goFile)).toString('latin1').replace('"rtt"', '"ttl"'), 'latin1')
    await writeFile(join(folder, name), foreign)
    await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'AVRO_SCHEMA_FOREIGN' })
    await expect(stored(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'AVRO_SCHEMA_FOREIGN' })
    expect(await readFile(join(folder, name))).toEqual(foreign)
  })
})

async function besideGo() {
  const folder = await testFolder()
  await copyFile(goFile, join(folder, basename(goFile)))
  return { folder, archiver: await prepared(folder), source: await rowsIn(goFile) }
}
