import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { peakRssBytes } from './reporter.js'

const megabyte = 1 << 20

test('the peak is of memory that was held, even if it is given back', () => {
  const before = peakRssBytes()
  expect(Buffer.alloc(before + 50 * megabyte, 1).length).toBeGreaterThan(0)
  expect(peakRssBytes()).toBeGreaterThan(before + 40 * megabyte)
})

test.skipIf(process.platform !== 'linux')('and not of the memory of who started the process', () => {
  const ours = Buffer.alloc(400 * megabyte, 1)
  const module = new URL('../../dist/report/reporter.js', import.meta.url).href
  const code = `console.log((await import(${JSON.stringify(module)})).peakRssBytes())`
  const theirs = Number(execFileSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' }))
  expect(ours.length).toBeGreaterThan(theirs)
})
