import { ArchiverError } from '@archiver/core'
import { expect, test } from 'vitest'
import type { ServiceConfig } from './config.js'
import { backOffMs } from './desk.js'

const desk = { random: () => 1, config: () => ({ runIntervalMs: 10_000 }) as ServiceConfig } // the rest is not read

test.each([
  [1, true, 10_000],
  [3, true, 40_000],
  [100, true, 50_000],
  [3, false, 40_000],
  [100, false, 900_000],
])('after %i failures, retryable %s: %i ms at most', (failures, retryable, waitMs) => {
  expect(backOffMs(desk, failures, new ArchiverError('down', { code: 'DOWN', retryable }))).toBe(waitMs)
})
