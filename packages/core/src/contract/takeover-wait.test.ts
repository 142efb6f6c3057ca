import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TakeoverWait } from './takeover-wait.js'

const { signal } = new AbortController()
let nowMs = 0
beforeEach(() => {
  nowMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})
afterEach(() => vi.restoreAllMocks())

test('is waited for once, and again only after it was restarted', async () => {
  const wait = new TakeoverWait(20)
  expect(await wait.done(signal)).toBe(true)
  nowMs = 20
  expect(await wait.done(signal)).toBe(false)
  wait.restart()
  expect(await wait.done(signal)).toBe(true)
})

test('what has passed since counts; nothing is waited for where there is no wait', async () => {
  const wait = new TakeoverWait(20)
  nowMs = 21
  expect(await wait.done(signal)).toBe(false)
  expect(await new TakeoverWait(0).done(signal)).toBe(false)
})

test('ends with the reason of the signal', async () => {
  const stop = new AbortController()
  const waiting = new TakeoverWait(600_000).done(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})
