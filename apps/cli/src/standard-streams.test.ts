import { expect, test } from 'vitest'
import { outputFailure, StandardStream } from './standard-streams.js'

/** A stream whose system calls answer with these numbers of bytes, or fail with these codes, in turn. */
function streamOf(answers: readonly (number | string)[], maxWaitMs = 20) {
  const written: string[] = []
  let call = 0
  const write = (_: number, bytes: Uint8Array, at: number) => {
    const answer = answers[Math.min(call++, answers.length - 1)]!
    if (typeof answer === 'string') throw Object.assign(new Error(answer), { code: answer })
    written.push(Buffer.from(bytes.subarray(at, at + answer)).toString())
    return Math.min(answer, bytes.length - at)
  }
  return { stream: new StandardStream(2, maxWaitMs, write), written, calls: () => call }
}

test('a line that is written in pieces is whole', () => {
  const { stream, written } = streamOf([2, 3, 100])
  expect(stream.write('abcdefgh\n')).toBe(true)
  expect(written.join('')).toBe('abcdefgh\n')
  expect(stream.lostLines).toBe(0)
})

test('what does not fit on the disk is lost and counted, and later lines are written', () => {
  const { stream, written } = streamOf([2, 'ENOSPC', 'ENOSPC', 100])
  expect(stream.write('one\n')).toBe(false)
  expect(stream.write('two\n')).toBe(false)
  expect(stream.write('three\n')).toBe(true)
  expect(written).toEqual(['on', 'three\n'])
  expect(stream.lostLines).toBe(2)
  expect(outputFailure(stream)?.message).toMatch(/ENOSPC/)
})

test('a reader who takes nothing is waited for once, not at each line', () => {
  const { stream, calls } = streamOf(['EAGAIN'])
  expect(stream.write('one\n')).toBe(false)
  const first = calls()
  expect(first).toBeGreaterThan(2)
  expect(stream.write('two\n')).toBe(false)
  expect(calls()).toBe(first + 1)
  expect(stream.lostLines).toBe(2)
})

test('a reader who has gone is not a failure of the output', () => {
  const { stream } = streamOf(['EPIPE'])
  stream.line('one')
  expect(outputFailure(stream)).toBeUndefined()
})

test('foreign text is harmless, and the lines of a text stay', () => {
  const { stream, written } = streamOf([10_000])
  stream.line('a\x1b[31m\n  b\u202e password=x')
  expect(written.join('')).toBe('a\n  b password=…\n')
})
