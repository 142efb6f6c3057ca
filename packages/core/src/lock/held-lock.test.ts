import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HeldLock, type LockSession } from './held-lock.js'

const times = { sessionWaitS: 8, pingIntervalMs: 2_000, lifeMs: 6_000 }
const never = new Promise<never>(() => undefined)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function hold(session: Partial<LockSession>): { lock: HeldLock; cutOff: () => void } {
  const cutOff = vi.fn()
  const all = { ping: async () => true, isBusyHolder: async () => false, cutOff, ...session }
  return { lock: new HeldLock('archiver-x', all, performance.now(), times), cutOff }
}

test('is held for as long as pings are answered', async () => {
  const { lock, cutOff } = hold({})
  await vi.advanceTimersByTimeAsync(600_000)
  expect(() => lock.assertHeld()).not.toThrow()
  lock.stop()
  await vi.advanceTimersByTimeAsync(6_001)
  expect(() => lock.assertHeld()).toThrow('the lock archiver-x was lost: no answer for 6 s')
  expect(cutOff).toHaveBeenCalledOnce()
})

test('the life counts from the sending of the last ping that was answered', async () => {
  const answers = [Promise.withResolvers<boolean>(), { promise: never }]
  const { lock } = hold({ ping: () => answers.shift()!.promise as Promise<boolean> })
  const [first] = answers as [PromiseWithResolvers<boolean>]
  await vi.advanceTimersByTimeAsync(5_000)
  first.resolve(true)
  await vi.advanceTimersByTimeAsync(3_000)
  expect(() => lock.assertHeld()).not.toThrow()
  vi.advanceTimersByTime(1)
  expect(() => lock.assertHeld()).toThrow('was lost')
})

test.each([
  ['executes a statement', true, 'held'],
  ['is idle', false, 'lost'],
])('while pings wait behind a statement: the session %s', async (_, busy, expected) => {
  const { lock } = hold({ ping: () => never, isBusyHolder: async () => busy })
  await vi.advanceTimersByTimeAsync(60_000)
  if (expected === 'held') expect(() => lock.assertHeld()).not.toThrow()
  else expect(() => lock.assertHeld()).toThrow('was lost')
  lock.stop()
})

test('one question about a busy session at a time, and one that fails says nothing', async () => {
  let asked = 0
  const isBusyHolder = () => (++asked === 1 ? Promise.reject(new Error('no route')) : never)
  const { lock } = hold({ ping: () => never, isBusyHolder })
  await vi.advanceTimersByTimeAsync(6_000)
  expect(() => lock.assertHeld()).not.toThrow()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toBe(2)
  lock.stop()
})

test.each([
  ['the server says so', async () => false, 'the server says that this connection does not have it'],
  ['a ping fails', () => Promise.reject(new Error('read ECONNRESET')), 'read ECONNRESET'],
])('is lost at once and for good when %s', async (_, ping, why) => {
  const steps: string[] = []
  const { lock } = hold({ ping, cutOff: () => steps.push('cut off') })
  lock.signal.addEventListener('abort', () => steps.push('aborted'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(steps).toEqual(['aborted', 'cut off'])
  expect(lock.signal.reason).toMatchObject({ code: 'LOCK_LOST', message: `the lock archiver-x was lost: ${why}` })
  expect(() => lock.assertHeld()).toThrow(why)
})
