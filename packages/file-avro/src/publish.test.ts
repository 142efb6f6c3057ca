import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import { describe, expect, test } from 'vitest'
import { publish } from './publish.js'
import { batch, namesIn, prepared, store, testFolder } from './test-support.js'

const rows = ordinaryRows(50)

/** No file system without hard links can be had here, so this one call is answered as theirs would be. */
async function noHardLinks(): Promise<void> {
  throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' })
}

/** A finished temporary file of batch `id`, with the given rows. */
async function temporaryFile(folder: string, id: bigint, part = rows): Promise<string> {
  const { identity } = await store(await prepared(folder), batch(id, part), part)
  const path = join(folder, `temporary-${id}`)
  await rename(join(folder, identity), path)
  return path
}

describe('without hard links', () => {
  test('a free name is taken', async () => {
    const folder = await testFolder()
    const temporary = await temporaryFile(folder, 1n)
    const bytes = (await readFile(temporary)).length
    expect(await publish(temporary, join(folder, 'final'), batch(1n, rows), noHardLinks)).toBe(bytes)
    expect(await namesIn(folder)).toEqual(['final'])
  })

  test('the same batch is replaced, another is not', async () => {
    const folder = await testFolder()
    const final = join(folder, 'final')
    for (let i = 0; i < 2; i++) {
      await publish(await temporaryFile(folder, 1n), final, batch(1n, rows), noHardLinks)
    }
    const before = await readFile(final)
    const other = await temporaryFile(folder, 2n)
    await expect(publish(other, final, batch(2n, rows), noHardLinks)).rejects.toMatchObject({ code: 'AVRO_FILE_TAKEN' })
    expect(await readFile(final)).toEqual(before)
  })
})
