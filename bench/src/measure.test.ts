import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { measure } from './measure.js'

const node = (code: string) => ({ command: process.execPath, args: ['--eval', code] })

test('a process is measured from its start to its end', async () => {
  const measured = await measure(node('setTimeout(() => { console.log("out"); console.error("err") }, 200)'))
  expect(measured).toMatchObject({ exitCode: 0, stdout: 'out\n', stderr: 'err\n' })
  expect(measured.wallMs).toBeGreaterThan(200)
})

test.skipIf(process.platform !== 'linux')(
  'its peak is its own: what it held for a moment, not what we hold',
  async () => {
    const ours = Buffer.alloc(300 << 20, 1)
    const small = await measure(node('setTimeout(() => {}, 100)'))
    const code = 'Buffer.alloc(200 << 20, 1).fill(2); setTimeout(() => {}, 100)'
    const large = await measure(node(code))
    expect(ours.length).toBeGreaterThan(0)
    expect(small.peakBytes).toBeLessThan(150 << 20)
    expect(large.peakBytes! - small.peakBytes!).toBeGreaterThan(190 << 20)
  },
)

test('its output can go to a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'archiver-bench-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const outputFile = join(folder, 'output')
  await measure({ ...node('console.log("rows")'), outputFile })
  expect(readFileSync(outputFile, 'utf8')).toBe('rows\n')
})

test('a program that is not there is an error that says so', async () => {
  await expect(measure({ command: 'no-such-program', args: [] })).rejects.toMatchObject({ code: 'ENOENT' })
})
