import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { archivedRow } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, leaseUntil } from '@archiver/core'
import { expect, onTestFinished, test } from 'vitest'
import { batch, namesIn, prepared, rowsIn, store, stored, table, testFolder } from './test-support.js'

const run = promisify(execFile)
const packageFolder = `${import.meta.dirname}/..`
const rows = ordinaryRows(2000)

/** Stores rows that become more than a megabyte from a process of its own, as the built package. */
const storing = `
import { createFileAvroArchiver } from '@archiver/file-avro'
import { batchOf, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, leaseUntil } from '@archiver/core'
const rows = ordinaryRows(2000).map((row) => ({ ...row, error: 'x'.repeat(1000) }))
const archiver = createFileAvroArchiver({ path: process.env.FOLDER, rowsPerBlock: 50 })
async function* source() {
  yield* chunksFromRows(rows, 100)
  if (!process.env.STALL) return
  console.log('all but the end')
  await new Promise((resolve) => setTimeout(resolve, 3_600_000))
}
await archiver.prepare('log_scores')
await archiver.store(batchOf('log_scores', 'fileavro', 1n, rows), source(), leaseUntil()).catch(({ code, message }) => {
  console.log(JSON.stringify({ code, message }))
})
`
const nodeArgs = ['--input-type=module-typescript', '--eval', storing]

test('kill -9 midway leaves a temporary file, which prepare removes, and the batch can be stored', async () => {
  const folder = await testFolder()
  const env = { ...process.env, FOLDER: folder, STALL: '1' }
  const child = spawn(process.execPath, nodeArgs, { cwd: packageFolder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await ended
  expect(await namesIn(folder)).toEqual([expect.stringMatching(/^\.archiver,archiver,log_scores,1,.*\.tmp$/)])
  const archiver = await prepared(folder)
  expect(await namesIn(folder)).toEqual([])
  const planned = batch(1n, rows)
  expect(await stored(archiver, planned, rows)).toEqual({ kind: 'none' })
  const { identity } = await store(archiver, planned, rows)
  expect(await rowsIn(`${folder}/${identity}`)).toEqual(rows.map(archivedRow))
})

test('a late writer of the same batch publishes neither its own swept file nor its successor’s unfinished one', async () => {
  const folder = await testFolder()
  const late = await prepared(folder, { rowsPerBlock: 100 })
  const lateDone = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  async function* successorSource() {
    yield* chunksFromRows(rows.slice(0, 1000), 100)
    begun.resolve()
    await lateDone.promise
    yield* chunksFromRows(rows.slice(1000), 100)
  }
  let successor: Promise<unknown> | undefined
  async function* lateSource() {
    yield* chunksFromRows(rows, 100)
    // It lost the lock, and another took it and began the same batch.
    successor = (await prepared(folder, { rowsPerBlock: 100 })).store(batch(1n, rows), successorSource(), leaseUntil())
    await begun.promise
  }
  await expect(late.store(batch(1n, rows), lateSource(), leaseUntil())).rejects.toMatchObject({
    code: 'AVRO_WRITE_FAILED',
    message: expect.stringContaining('ENOENT'),
  })
  expect(await namesIn(folder)).toEqual([expect.stringMatching(/tmp$/)])
  lateDone.resolve()
  expect(await successor).toMatchObject({ rows: 2000 })
})

test('a file size limit reached midway: one clear error, no file', async () => {
  const folder = await testFolder()
  // In blocks of 512 or 1024 bytes, whichever the shell has: less than the rows need.
  const limited = ['-c', 'ulimit -f 500 && exec "$0" "$@"', process.execPath, ...nodeArgs]
  const { stdout } = await run('sh', limited, { cwd: packageFolder, env: { ...process.env, FOLDER: folder } })
  expect(JSON.parse(stdout)).toEqual({
    code: 'AVRO_WRITE_FAILED',
    message: expect.stringMatching(/^avro_path: .*: could not write: EFBIG/),
  })
  expect(await namesIn(folder)).toEqual([])
})

test('a disk that becomes full midway: one clear error, no file, and it goes on once there is room', async (context) => {
  const folder = await testFolder()
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]).catch((error: Error) => error)
  if (mounted instanceof Error)
    return context.skip(`no mount here (the file size limit was tested): ${mounted.message}`)
  onTestFinished(async () => {
    await run('umount', [folder])
  })
  const archiver = await prepared(folder, { rowsPerBlock: 50 })
  const large = rows.map((row) => ({ ...row, error: 'x'.repeat(1000) }))
  await expect(store(archiver, batch(1n, large), large)).rejects.toMatchObject({
    code: 'AVRO_PATH_FULL',
    message: expect.stringMatching(/ENOSPC/),
    place: { archiver: 'fileavro', table },
  })
  expect(await namesIn(folder)).toEqual([])
  expect(await store(archiver, batch(1n, rows), rows)).toMatchObject({ rows: 2000 })
})
