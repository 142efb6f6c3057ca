import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from './temporary-folder.mjs'

let parent
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'temporary-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

test('is removed with what is in it, and with what a run left that was killed; that of one that lives stays', () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  for (const name of [`archiver-tests-${pid}-abc/deep`, 'else-1-abc'])
    mkdirSync(join(parent, name), { recursive: true })
  const first = temporaryFolder(parent)
  writeFileSync(join(first.path, 'left'), '')
  const second = temporaryFolder(parent)
  expect(readdirSync(parent).sort()).toEqual([basename(first.path), basename(second.path), 'else-1-abc'].sort())
  for (const { remove } of [first, second]) remove()
  expect(readdirSync(parent)).toEqual(['else-1-abc'])
})
