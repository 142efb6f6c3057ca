import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryName } from '@archiver/avro'
import { ordinaryRows } from '@archiver/conformance'
import { expect, test } from 'vitest'
import { createFileAvroArchiver, createWithFolders } from './file-avro-archiver.js'
import { batch, namesIn, prepared, store, table, testFolder } from './test-support.js'

const rows = ordinaryRows(10)

test.each([
  ['missing', 'AVRO_PATH_MISSING', async (folder: string) => join(folder, 'nowhere')],
  ['a file', 'AVRO_PATH_NOT_FOLDER', (folder: string) => fileIn(folder)],
  ['below a file', 'AVRO_PATH_NOT_FOLDER', async (folder: string) => join(await fileIn(folder), 'below')],
  // Nobody can create files there, root neither.
  ['unwritable', 'AVRO_PATH_UNWRITABLE', async () => '/sys/kernel'],
])('a folder that is %s is an error that names the variable', async (_, code, pathIn) => {
  const path = await pathIn(await testFolder())
  await expect(prepared(path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(new RegExp(`^avro_path: ${path} `)),
    hint: expect.stringMatching(/./),
  })
})

async function fileIn(folder: string): Promise<string> {
  const path = join(folder, 'file')
  await writeFile(path, '')
  return path
}

test('the variable may have another name', async () => {
  await expect(prepared('/nowhere', { pathName: 'ARCHIVE_DIR' })).rejects.toThrow(
    /^ARCHIVE_DIR: \/nowhere does not exist/,
  )
})

test('createPath makes the folder, but not the one it is in', async () => {
  const folder = await testFolder()
  const path = join(folder, 'log_scores_test')
  await prepared(path, { createPath: true })
  await prepared(path, { createPath: true })
  expect(await namesIn(folder)).toEqual(['log_scores_test'])
  const deep = createFileAvroArchiver({ path: join(folder, 'a', 'b'), createPath: true })
  await expect(deep.prepare(table)).rejects.toMatchObject({ code: 'AVRO_PATH_MISSING' })
})

test('a link to a folder is a folder', async () => {
  const folder = await testFolder()
  await mkdir(join(folder, 'real'))
  await symlink(join(folder, 'real'), join(folder, 'link'))
  await store(await prepared(join(folder, 'link')), batch(1n, rows), rows)
  expect(await namesIn(join(folder, 'real'))).toHaveLength(1)
})

test('prepare removes temporary files of its own scope and table only', async () => {
  const folder = await testFolder()
  const long = 'archiver-datenbank,mit/allem und sehr langem Namen '.repeat(3)
  const own = [temporaryName('archiver-ntp', table, 1n), temporaryName('archiver-ntp', table, 22n)]
  const others = [
    temporaryName('archiver-ntp', 'log_scores_test', 1n),
    temporaryName('archiver-ntp2', table, 1n),
    temporaryName(long, table, 1n),
    '.archiver',
    '1792454400-1.avro',
  ]
  for (const name of [...own, ...others]) await writeFile(join(folder, name), 'x')
  await prepared(folder, { scope: 'archiver-ntp' })
  expect(await namesIn(folder)).toEqual(others.toSorted())
  await prepared(folder, { scope: long })
  expect(await namesIn(folder)).not.toContain(others[2])
  expect(await readFile(join(folder, '.archiver'), 'utf8')).toBe('x')
})

test('a batch for which the disk may have no room is not started', async () => {
  const folder = await testFolder()
  const archiver = await prepared(folder, { batch: { maxRows: 1e15 } })
  const huge = batch(1n, rows, { upToId: 10n ** 14n })
  await expect(store(archiver, huge, rows)).rejects.toMatchObject({
    code: 'AVRO_PATH_FULL',
    message: expect.stringMatching(/^avro_path: the disk of .* has [\d.]+ MB free, .* may need 39999+[\d.]+ MB/),
    place: { table, upToId: 10n ** 14n },
  })
  expect(await namesIn(folder)).toEqual([])
})

/** No file system that cannot sync a folder can be had here, so this one call is answered as theirs would be. */
function foldersAnswering(code: string) {
  return async () => ({
    sync: async () => Promise.reject(Object.assign(new Error(`${code}: fsync`), { code })),
    close: async () => undefined,
  })
}

test.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
  'a file system that answers the fsync of a folder with %s is a warning, and the batch is stored',
  async (code) => {
    const path = await testFolder()
    const archiver = createWithFolders({ path }, foldersAnswering(code))
    await archiver.prepare(table)
    const { identity } = await store(archiver, batch(1n, rows), rows)
    expect(await namesIn(path)).toEqual([identity])
    expect(archiver.takeWarnings!()).toMatchObject([
      { code: 'AVRO_PATH_NOT_SYNCED', message: expect.stringContaining(`${path} cannot sync a folder (${code})`) },
    ])
    expect(archiver.takeWarnings!()).toEqual([])
  },
)

test('a disk that fails while its folder is synced is an error', async () => {
  const archiver = createWithFolders({ path: await testFolder() }, foldersAnswering('EIO'))
  await archiver.prepare(table)
  await expect(store(archiver, batch(1n, rows), rows)).rejects.toMatchObject({ code: 'AVRO_WRITE_FAILED' })
})

test('a file system that syncs folders is no warning', async () => {
  const archiver = await prepared(await testFolder())
  await store(archiver, batch(1n, rows), rows)
  expect(archiver.takeWarnings!()).toEqual([])
})
