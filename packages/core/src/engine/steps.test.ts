import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Archiver } from '../contract/archiver.js'
import type { LogScoreChunk } from '../contract/log-score.js'
import { StepClock } from './steps.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Of a chunk and of an adapter only this is looked at. */
const chunk = { rows: 1 } as LogScoreChunk
const adapter = (encodedMs?: number) => ({ encodedMs }) as { encodedMs?: number } & Archiver

async function* slowRows(): AsyncGenerator<LogScoreChunk> {
  for (const ms of [10, 20]) {
    vi.advanceTimersByTime(ms)
    yield chunk
  }
  vi.advanceTimersByTime(5)
}

async function store(archiver: { encodedMs?: number } & Archiver) {
  const clock = new StepClock(archiver)
  for await (const _ of clock.read(slowRows())) {
    if (archiver.encodedMs !== undefined) archiver.encodedMs += 3
    vi.advanceTimersByTime(7)
  }
  vi.advanceTimersByTime(30)
  clock.stored()
  vi.advanceTimersByTime(4)
  return clock.done
}

test('the steps of a batch are together its whole time', async () => {
  const { steps, elapsedMs } = await store(adapter(1_000))
  expect(steps).toEqual({ readMs: 35, encodeMs: 6, sendMs: 38, markMs: 4 })
  expect(elapsedMs).toBe(83)
})

test('where the adapter does not count its encoding, it is part of the sending', async () => {
  const { steps } = await store(adapter())
  expect(steps).toEqual({ readMs: 35, encodeMs: null, sendMs: 44, markMs: 4 })
})
