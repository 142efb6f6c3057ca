import { expect } from 'vitest'
import type { ReadCheck } from './read-checks.js'
import type { ReaderBench } from './reader-bench.js'
import { ordinaryRows } from './rows.js'

const rows = ordinaryRows(300)
/** Files of these checks hold so many rows each. */
const rowsPerFile = 100
/** Places in a file that are tried. */
const places = 40

/** Harm that only files and objects can come to. */
export const fileChecks: readonly ReadCheck[] = [
  {
    name: 'finds a file that is missing: its rows and its name',
    needsFiles: true,
    async run(bench) {
      const { files, name } = await filled(bench)
      await files.remove(bench.table, name)
      const [firstId, lastId] = [rows[100]!.id, rows[199]!.id]
      const expected = [
        { kind: 'gone', identity: expect.stringContaining(String(firstId)) },
        { kind: 'missing', firstId, lastId, rows: 100 },
      ]
      expect(await bench.findings(rows)).toEqual(expected)
    },
  },
  {
    name: 'finds a file that is cut off, wherever that is, and names it; the other files are verified all the same',
    needsFiles: true,
    async run(bench) {
      const { files, name } = await filled(bench)
      const whole = await files.read(bench.table, name)
      for (let i = 0; i < places; i++) {
        await files.write(bench.table, name, whole.subarray(0, Math.floor((whole.length * i) / places)))
        const found = await bench.findings(rows)
        // A file cut exactly between two blocks reads as a whole one that lacks rows.
        const between = { kind: 'missing', lastId: rows[199]!.id }
        const within = { kind: 'unreadable', message: expect.stringContaining(name) }
        expect(found).toMatchObject([found[0]?.kind === 'missing' ? between : within])
      }
      await files.write(bench.table, name, whole.subarray(0, -1))
      expect(await bench.findings(rows)).toMatchObject([{ kind: 'unreadable', code: 'AVRO_TRUNCATED' }])
    },
  },
  {
    name: 'finds a flipped bit, wherever it makes a row another one or none',
    needsFiles: true,
    async run(bench) {
      const { files, name } = await filled(bench)
      const whole = await files.read(bench.table, name)
      for (let i = 0; i < places; i++) {
        const bytes = Buffer.from(whole)
        const bit = Math.floor((whole.length * 8 * i) / places) + (i % 8)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        await files.write(bench.table, name, bytes)
        const { named } = await bench.verify(rows, true)
        // A bit of the header that says nothing of the rows leaves them as they are.
        if (named.length === 0)
          expect(await bench.readRange({ afterId: 0n, upToId: 2n ** 63n - 1n })).toEqual(stored(bench))
      }
    },
  },
]

async function filled(bench: ReaderBench) {
  await bench.fill(rows, rowsPerFile)
  const { files } = bench.subject
  if (files === undefined) throw new Error('this archive has no files')
  const [, name] = await files.names(bench.table)
  return { files, name: name! }
}

function stored(bench: ReaderBench) {
  return rows.map((row) => bench.convert(row))
}
