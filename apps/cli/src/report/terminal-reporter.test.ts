import type { EngineEvent } from '@archiver/core/engine'
import { expect, test } from 'vitest'
import { TerminalReporter } from './terminal-reporter.js'

const batch = { id: 1n, archiver: 'fileavro', table: 'log_scores', afterId: 0n, firstId: 1001n, upToId: 2000n }

/** What stands on the screen after these events, a line each; what was overwritten is gone. */
function screen(...events: readonly EngineEvent[]): string[] {
  const pieces: string[] = []
  const reporter = new TerminalReporter({ write: (piece) => pieces.push(piece) > 0 })
  for (const event of events) reporter.onEvent(event)
  return pieces
    .join('')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1).replaceAll('\x1b[K', ''))
}

const started: EngineEvent = { event: 'archiver.started', archiver: 'fileavro', mark: 0n, upToId: 3000n }

test('a bar goes by ids from the first waiting row, not from 0', () => {
  const progress: EngineEvent = { event: 'batch.progress', batch, rows: 500, lastId: 1500n }
  const [bar] = screen(started, { event: 'batch.planned', batch }, progress)
  expect(bar).toMatch(/^fileavro █{6}░{18} 25% {2}500 rows {2}[\d,]+ rows\/s {2}\d+\.\d s left$/)
})

test('the last line takes the place of the bar', () => {
  const progress: EngineEvent = { event: 'batch.progress', batch, rows: 500, lastId: 1500n }
  const done: EngineEvent = { event: 'archiver.done', archiver: 'fileavro', rows: 2000, batches: 2, elapsedMs: 1000 }
  expect(screen(started, { event: 'batch.planned', batch }, progress, done)).toEqual([
    'fileavro: 2,000 rows in 2 batches, 1.0 s, 2,000 rows/s',
    '',
  ])
})

test('what was skipped, moved, tried again and failed is said', () => {
  const error = new Error('no')
  const lines = screen(
    { event: 'archiver.skipped', archiver: 'clickhouse', why: 'not configured here' },
    { event: 'mark.moved', archiver: 'fileavro', from: 0n, to: 30n },
    { event: 'archiver.retrying', archiver: 'fileavro', error, attempt: 2, delayMs: 300 },
    { event: 'archiver.failed', archiver: 'fileavro', error },
  )
  expect(lines).toEqual([
    'clickhouse: not configured here',
    'fileavro: the mark was moved from none to 30',
    'fileavro: no; trying again in 0.3 s',
    'fileavro: FAILED: no',
    '',
  ])
})
