import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leaseUntil } from '@archiver/core'
import { runPass } from '@archiver/core/engine'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CleanupOptions, VerifyMode } from './options.js'
import { upTo, Workbench } from './testing/workbench.js'

// With an archive in earnest: files in a folder.
await describeWithMySql('rows in files', (database) => {
  let bench: Workbench
  let path: string
  beforeEach(async () => {
    bench = await Workbench.open(database, ['fileavro'])
    path = await mkdtemp(join(tmpdir(), 'cleanup-'))
  })
  afterEach(async () => {
    await bench[Symbol.asyncDispose]()
    await rm(path, { recursive: true })
  })

  const batch = { minRows: 1, maxRows: 40, intervalMs: 0 }
  const open = async () => createFileAvroArchiver({ path, batch })
  const clean = (policy: Partial<CleanupOptions['policy']> = {}) => bench.clean({ open, policy })

  async function archive(): Promise<void> {
    const { table, ledger, source } = bench
    const only = ['fileavro']
    const options = { table, ledger, source, lease: leaseUntil(), open, only, settleMs: 0, onEvent: () => undefined }
    expect((await runPass(options)).failed).toEqual(new Map())
  }

  /** The ids that the files hold, each as often as they do. */
  async function archived(): Promise<number[]> {
    const ids: number[] = []
    const range = { afterId: 0n, upToId: 1_000_000n }
    for await (const chunk of (await open()).reader.read(bench.table, range, new AbortController().signal)) {
      ids.push(...[...chunk.id.subarray(0, chunk.rows)].map(Number))
    }
    return ids
  }

  /** Rows 1 to 100 in files of 40 ids, without row 50. */
  async function archivedButOne(): Promise<void> {
    await bench.insert(100, 20)
    const [late] = await bench.query(`select unix_timestamp(ts) s from ${bench.table} where id = 50`)
    await bench.query(`delete from ${bench.table} where id = 50`)
    await archive()
    await bench.insertRow({ id: 50n, tsSeconds: Number(late?.s) })
  }

  test.each<VerifyMode>(['count', 'rows'])('are deleted once the files hold them all (%s)', async (verify) => {
    await archivedButOne()
    expect((await clean({ verify })).rows).toBe(99)
    expect((await readdir(path)).filter((name) => name.endsWith('-50.avro'))).toHaveLength(1)
    expect(await archived()).toEqual(upTo(100))
  })

  test('are stored once, when the mark is set back behind a late row', async () => {
    await archivedButOne()
    await clean({ maxRows: 60 })
    expect(await bench.ids()).toEqual(upTo(100, 61))
    await bench.mark('fileavro', 65n)
    await archive()
    expect(await archived()).toEqual(upTo(100))
    expect(await bench.markOf('fileavro')).toBe(100n)
  })

  test('of which some are deleted are stored once, when the mark is set back into a file with a late row', async () => {
    await archivedButOne()
    await clean({ maxRows: 52 })
    await bench.mark('fileavro', 55n)
    await archive()
    expect(await archived()).toEqual(upTo(100))
  })

  test('stay while their file is away, unless that is said to be in order', async () => {
    await bench.insert(100, 20)
    await archive()
    const first = (await readdir(path)).find((name) => name.endsWith('-1.avro'))!
    await rename(join(path, first), join(path, 'moved'))
    expect((await clean()).end).toEqual({
      why: 'blocked',
      blocked: { reason: 'files-gone', archiver: 'fileavro', identities: [first] },
    })
    expect((await clean({ movedIsSafe: true })).rows).toBe(99)
  })
})
