import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archivedRow, exactRow, firstIdOf, readLogScores, writeLogScores } from '@archiver/avro'
import { type ArchiveFiles, describeReader, ordinaryRows } from '@archiver/conformance'
import { type LogScore, rowsFromChunk } from '@archiver/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFileAvroArchiver } from './file-avro-archiver.js'
import { batch, editRows, goFile, prepared, rowsIn, store, table, testFolder } from './test-support.js'

/** 2026-10-15. */
const startSeconds = 1_792_022_400

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'file-avro-reader-'))
})
afterAll(() => rm(root, { recursive: true }))

for (const [codec, schema, convert] of [
  ['null', 1, archivedRow],
  ['zstandard', 1, archivedRow],
  ['null', 2, exactRow],
] as const) {
  const folderOf = (table: string) => join(root, `${table}-${codec}-${schema}`)
  const files: ArchiveFiles = {
    names: async (table) => (await readdir(folderOf(table))).sort((a, b) => Number(firstIdOf(a)! - firstIdOf(b)!)),
    read: (table, name) => readFile(join(folderOf(table), name)),
    write: (table, name, bytes) => writeFile(join(folderOf(table), name), bytes),
    remove: (table, name) => rm(join(folderOf(table), name)),
  }
  const options = { createPath: true, codec, schema, rowsPerBlock: 30 }
  describeReader(`file Avro of version ${schema} with codec ${codec}`, {
    open: async (table) => createFileAvroArchiver({ path: folderOf(table), ...options }),
    async read(table) {
      const rows: LogScore[] = []
      for (const name of await files.names(table)) rows.push(...(await rowsIn(join(folderOf(table), name))))
      return rows
    },
    convert,
    async tamper(table, edit) {
      for (const name of await files.names(table)) {
        await files.write(table, name, await editRows(await files.read(table, name), edit, schema))
      }
    },
    // The suite's source has no text of attributes: a bit that flips in it is nothing to compare with.
    ...(schema === 1 && { files }),
  })
}

/** What this process has read so far, as the kernel counts it; headers and other tests' files too. */
async function bytesRead(): Promise<number> {
  const io = await readFile('/proc/self/io', 'utf8')
  return Number(/^rchar: (\d+)$/m.exec(io)![1])
}

describe("a server's week", () => {
  const daySeconds = 86_400
  /** A file of a day, sixty of them, of 4,000 rows each. */
  const rows = ordinaryRows(240_000).map((row, i) => ({
    ...row,
    serverId: 1 + (i % 50),
    tsSeconds: startSeconds + i * 21.6,
  }))
  const days = Array.from({ length: 60 }, (_, day) => rows.slice(day * 4_000, (day + 1) * 4_000))
  const fromSeconds = startSeconds + 30 * daySeconds
  const week = {
    afterId: 0n,
    upToId: 2n ** 63n - 1n,
    serverId: 7,
    fromSeconds,
    toSeconds: fromSeconds + 7 * daySeconds - 1,
  }

  test.skipIf(process.platform !== 'linux')('is read out of the files that can hold it, and of no other', async () => {
    const folder = await testFolder()
    const archiver = await prepared(folder)
    const sizes: number[] = []
    for (const [i, day] of days.entries()) {
      const whole = day.map((row) => ({ ...row, tsSeconds: Math.floor(row.tsSeconds) }))
      sizes.push((await store(archiver, batch(BigInt(i + 1), whole), whole)).bytes)
    }
    const { reader } = createFileAvroArchiver({ path: folder })
    const before = await bytesRead()
    const found: LogScore[] = []
    for await (const chunk of reader.scan(table, week, new AbortController().signal))
      found.push(...rowsFromChunk(chunk))
    const read = (await bytesRead()) - before
    const wanted = days
      .slice(30, 37)
      .flat()
      .filter(({ serverId }) => serverId === 7)
    expect(found.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
    // The week, and a day at each end for rows that were measured early or late; of the others the first 4 KiB.
    const opened = sizes.slice(28, 39).reduce((sum, size) => sum + size, 0)
    const headers = 60 * 4096
    expect(read).toBeLessThan(opened + headers + 100_000)
    expect(read).toBeLessThan(0.25 * sizes.reduce((sum, size) => sum + size, 0))
  })
})

describe('files that say nothing of their end', () => {
  const rowsOf = async (path: string, range: { afterId: bigint; upToId: bigint }) => {
    const { reader } = createFileAvroArchiver({ path })
    const rows: LogScore[] = []
    for await (const chunk of reader.read(table, range, new AbortController().signal)) {
      rows.push(...rowsFromChunk(chunk))
    }
    return rows
  }

  /** A file as the Go program writes it: without metadata. */
  const goFileOf = async (path: string, rows: readonly LogScore[]) => {
    const archiver = await prepared(path, {})
    const { identity } = await store(archiver, batch(1n, rows), rows)
    const file = join(path, identity)
    const parts: Buffer[] = []
    await writeLogScores(readLogScores(file), async (bytes) => parts.push(Buffer.from(bytes)), {
      sync: Buffer.alloc(16),
    })
    await writeFile(file, Buffer.concat(parts))
    return identity
  }

  test("the Go program's own file is read", async () => {
    const folder = await testFolder()
    await copyFile(goFile, join(folder, '1792454400-1000001.avro'))
    const rows = await rowsIn(goFile)
    expect(await rowsOf(folder, { afterId: 0n, upToId: 2n ** 62n })).toEqual(rows)
    const some = rows.slice(3, 9)
    expect(await rowsOf(folder, { afterId: some[0]!.id - 1n, upToId: some.at(-1)!.id })).toEqual(some)
  })

  test('one ends where the next begins: those before the range are not opened', async () => {
    const folder = await testFolder()
    const rows = ordinaryRows(300)
    const first = await goFileOf(folder, rows.slice(0, 100))
    for (const from of [100, 200]) await goFileOf(folder, rows.slice(from, from + 100))
    await writeFile(join(folder, first), 'not to be read')
    const range = { afterId: rows[149]!.id, upToId: rows[249]!.id }
    expect(await rowsOf(folder, range)).toEqual(rows.slice(150, 250).map(archivedRow))
  })

  test('one that goes on beyond the beginning of the next is an error that names both', async () => {
    const folder = await testFolder()
    const rows = ordinaryRows(300)
    const names = [await goFileOf(folder, rows.slice(0, 200)), await goFileOf(folder, rows.slice(150, 300))]
    const reading = rowsOf(folder, { afterId: rows[0]!.id, upToId: rows[299]!.id })
    await expect(reading).rejects.toMatchObject({ code: 'AVRO_FILES_OVERLAP' })
    for (const name of names) await expect(reading).rejects.toThrow(name)
  })

  test('a file of another table, a stray file and a temporary one are passed over', async () => {
    const folder = await testFolder()
    const rows = ordinaryRows(50)
    const archiver = await prepared(folder)
    await store(archiver, batch(1n, rows, { table: 'another_table' }), rows)
    await writeFile(join(folder, 'notes.txt'), 'x')
    await writeFile(join(folder, '.archiver,a,log_scores,1,x.tmp'), 'x')
    expect(await rowsOf(folder, { afterId: 0n, upToId: 2n ** 62n })).toEqual([])
  })
})
