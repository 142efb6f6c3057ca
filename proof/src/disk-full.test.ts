import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ServiceUnavailable } from '@archiver/testkit'
import { describeNeeding, describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli } from './cli.js'
import { runHeldUp } from './held-up.js'
import { Site } from './site.js'

const run = promisify(execFile)

/** A file system of 4 MB. Few machines let a test mount one, those of a CI the least. */
async function mountSmall(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archiver-small-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder])
    return folder
  } catch (thrown) {
    await rm(folder, { recursive: true })
    const hint = 'Run the tests as root, on a machine that may mount file systems.'
    throw new ServiceUnavailable(`No mount: ${(thrown as Error).message.trim()}`, { hint, alsoInCi: true })
  }
}

/** Takes all the room that is left. */
async function fillUp(folder: string): Promise<string> {
  const path = join(folder, 'filler')
  const { bavail, bsize } = await statfs(folder)
  await using file = await open(path, 'w')
  await file.write(Buffer.alloc(bavail * bsize, 1))
  return path
}

await describeWithMySql(
  'a disk that becomes full',
  { clickhouse: sharedClickHouse },
  async (database, { clickhouse }) => {
    let site: Site
    beforeAll(async () => {
      site = await Site.open(database, clickhouse)
      await site.fill(20_000, ['fileavro'])
    })
    beforeEach(() => site.empty(['fileavro']))
    afterAll(() => site.close())

    const settings = { batch_avro_max_size: '8000', batch_avro_append_size: '500' }

    await describeNeeding('a small file system', { small: mountSmall }, ({ small }) => {
      afterAll(async () => {
        await run('umount', [small])
        await rm(small, { recursive: true })
      })

      test('in the middle of a batch: nothing half-written stays, and the next run goes on', async () => {
        const avro_path = join(small, 'avro')
        await mkdir(avro_path)
        const env = { ...site.env, ...settings, avro_path }
        let filler = ''
        const failed = await runHeldUp(env, { point: 'file.written', pass: 20 }, async () => {
          filler = await fillUp(small)
        })
        expect(failed.code).toBe(1)
        expect(failed.events.find(({ event }) => event === 'archiver.failed')?.error?.code).toBe('AVRO_PATH_FULL')
        expect(await readdir(avro_path)).toHaveLength(1)
        expect(await site.marks()).toEqual({ fileavro: 8_000 })
        await rm(filler)
        expect(await runCli(env)).toMatchObject({ code: 0 })
        expect(await site.in(avro_path).problems('fileavro')).toEqual([])
      })
    })

    test('a limit on the size of files: likewise', async () => {
      const env = { ...site.env, ...settings }
      const limited = await runCli(env, undefined, { maxFileKb: 100 })
      expect(limited.code).toBe(1)
      expect(limited.events.find(({ event }) => event === 'archiver.failed')?.msg).toMatch(/EFBIG|too large/)
      expect(await readdir(site.folder)).toEqual([])
      expect(await site.marks()).toEqual({ fileavro: null })
      expect(await runCli({ ...env, batch_avro_max_size: '2000' }, undefined, { maxFileKb: 1_000 })).toMatchObject({
        code: 0,
      })
      expect(await site.problems('fileavro')).toEqual([])
    })
  },
)
