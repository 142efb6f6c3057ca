import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { run } from './steps.mjs'

const folder = mkdtempSync(join(tmpdir(), 'archiver-demo-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('npm run demo sets up, archives, and answers', { timeout: 300_000 }, async () => {
  const { code, output } = await run('npm', ['run', 'demo', '--', '--rows', '2000', '--folder', join(folder, 'data')])
  expect(output).toContain('Building every package')
  expect(output).toMatch(/^\| Avro files +\| +2,000 /m)
  expect(output).toContain('The monitors with most errors')
  expect(code).toBe(0)
})

test('bad options are refused before anything is set up', async () => {
  const { code, output } = await run('npm', ['run', 'demo', '--', '--rows', 'lots'])
  expect(output).toContain('demo: --rows takes a whole number from 1 to 100,000,000, such as 1000000; not "lots"')
  expect(output).not.toContain('Installing')
  expect(code).toBe(2)
})

test('--help tells the options', async () => {
  const { code, output } = await run('npm', ['run', 'bench', '--', '--help'])
  expect(output).toMatch(/--rows N .*\[4,000,000\]/)
  expect(code).toBe(0)
})
