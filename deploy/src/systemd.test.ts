import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describeNeeding, program } from '@archiver/testkit/vitest'
import { afterAll, expect, test } from 'vitest'

const run = promisify(execFile)
const unit = readFileSync(join(import.meta.dirname, '../systemd/archiver.service'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'archiver-systemd-'))
afterAll(() => rmSync(folder, { recursive: true }))

const analyze = program('systemd-analyze', 'Install it (Debian: apt-get install systemd).')

/** The unit as it is, but for the program, which is not installed here. */
function here(text: string): string {
  const file = join(folder, 'archiver.service')
  writeFileSync(file, text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'))
  return file
}

await describeNeeding('systemd', { analyze }, ({ analyze }) => {
  test('finds nothing wrong with the unit', async () => {
    const { stdout, stderr } = await run(analyze, ['verify', '--man=no', '--recursive-errors=no', here(unit)])
    expect(stdout + stderr).toBe('')
  })

  test('finds the unit well protected: an exposure below 2 of 10', async () => {
    const args = ['security', '--offline=yes', '--threshold=20', '--no-pager', here(unit)]
    expect((await run(analyze, args)).stdout).toMatch(/Overall exposure level.*: [01]\.\d/)
  })

  test('finds a directive that is misspelt', async () => {
    const wrong = here(unit.replace('PrivateTmp', 'PrivatTmp'))
    await expect(run(analyze, ['verify', '--man=no', '--recursive-errors=no', wrong])).rejects.toThrow('PrivatTmp')
  })
})

test('waits longer than the program takes to stop, and does not repeat what cannot work', () => {
  expect(unit).toMatch(/^TimeoutStopSec=30s$/m)
  expect(unit).toMatch(/^RestartPreventExitStatus=2$/m)
})
