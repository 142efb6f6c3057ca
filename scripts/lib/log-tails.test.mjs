import { expect, test } from 'vitest'
import { LogTails } from './log-tails.mjs'

test('the end of what a failed task said, however the output is cut and mixed', () => {
  const tails = new LogTails()
  tails.add('@archiver/a:test: one\n@archiver/b:test: oth')
  tails.add('er\n@archiver/a:test: Unhandled Error\n')
  tails.add('@archiver/a#test:  ERROR  command (…) exited (1)\n')
  expect(tails.failures()).toEqual([{ name: '@archiver/a', tail: 'one\nUnhandled Error' }])
})

test('no more than its last lines', () => {
  const tails = new LogTails()
  for (let n = 1; n <= 200; n++) tails.add(`@archiver/a:test: ${n}\n`)
  tails.add('@archiver/a#test:  ERROR  exited (1)\n')
  const [{ tail }] = tails.failures()
  const lines = tail.split('\n')
  expect(lines).toHaveLength(80)
  expect([lines[0], lines.at(-1)]).toEqual(['121', '200'])
})

test('nothing of tasks that went well', () => {
  const tails = new LogTails()
  tails.add('@archiver/a:test: fine\n Tasks:    1 successful, 1 total\n')
  expect(tails.failures()).toEqual([])
})
