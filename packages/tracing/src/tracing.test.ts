import type { PlannedBatch } from '@archiver/core'
import type { EngineEvent } from '@archiver/core/engine'
import { readmeExamples, runExample } from '@archiver/testkit/vitest'
import { afterEach, expect, test, vi } from 'vitest'
import { Collector } from './testing/collector.js'
import { startTracing } from './tracing.js'

const batch: PlannedBatch = {
  id: 7n,
  archiver: 'clickhouse',
  table: 'log_scores',
  afterId: 2n ** 53n,
  firstId: 2n ** 53n + 1n,
  upToId: 2n ** 53n + 300n,
}

const done: EngineEvent = {
  event: 'batch.done',
  batch,
  record: {
    rows: 300,
    firstId: batch.firstId,
    lastId: batch.upToId,
    minTsSeconds: 1,
    maxTsSeconds: 2,
    idHash: Buffer.alloc(32),
    bytes: 12_000,
    identity: 'archiver_ntppool.log_scores_7',
  },
  conversions: {},
  elapsedMs: 100,
  steps: { readMs: 40, encodeMs: 10, sendMs: 45, markMs: 5 },
}

afterEach(() => vi.unstubAllEnvs())

async function traced(events: readonly EngineEvent[], resource = 'deployment.environment=beta'): Promise<Collector> {
  const collector = await Collector.start()
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', resource)
  const warnings: string[] = []
  const tracing = startTracing({ version: '1.2.3', warn: (text) => warnings.push(text) })
  for (const event of events) tracing.onEvent(event)
  await tracing[Symbol.asyncDispose]()
  expect(warnings).toEqual([])
  return collector
}

test('a batch is a span with its ids as texts, and a span for each step', async () => {
  await using collector = await traced([{ event: 'batch.planned', batch }, done])
  const [parent, ...others] = collector.spans.toSorted((a, b) => b.ms - a.ms)
  expect(parent).toMatchObject({
    name: 'archive clickhouse',
    parentId: undefined,
    error: undefined,
    attributes: {
      'archiver.table': 'log_scores',
      'archiver.batch': '7',
      'archiver.first_id': '9007199254740993',
      'archiver.identity': 'archiver_ntppool.log_scores_7',
    },
  })
  expect(parent!.ms).toBeCloseTo(100, 1)
  const steps = Object.fromEntries(others.map(({ name, ms }) => [name, Math.round(ms)]))
  expect(steps).toEqual({ read: 40, encode: 10, send: 45, mark: 5 })
  expect(new Set(others.map(({ parentId }) => parentId))).toEqual(new Set([parent!.id]))
  expect(collector.resource).toMatchObject({
    'service.name': 'ntppool-archiver',
    'service.version': '1.2.3',
    'deployment.environment': 'beta',
  })
})

test('DEPLOYMENT_MODE is the environment, unless the resource attributes name another', async () => {
  vi.stubEnv('DEPLOYMENT_MODE', 'prod')
  await using named = await traced([done])
  expect(named.resource).toMatchObject({ 'deployment.environment': 'beta' })
  expect(Object.keys(named.resource)).not.toContain('deployment.environment.name')
  await using collector = await traced([done], '')
  expect(collector.resource).toMatchObject({ 'deployment.environment': 'prod', 'deployment.environment.name': 'prod' })
  vi.stubEnv('DEPLOYMENT_MODE', '')
  await using without = await traced([done], '')
  expect(Object.keys(without.resource)).not.toContain('deployment.environment')
})

test('a step that is not counted has no span; a batch that failed has its error', async () => {
  const uncounted = { ...done, steps: { ...done.steps, encodeMs: null } }
  const error = Object.assign(new Error('the server went away'), { code: 'CLICKHOUSE_UNREACHABLE' })
  await using collector = await traced([
    { event: 'batch.planned', batch },
    uncounted,
    { event: 'batch.planned', batch },
    { event: 'archiver.failed', archiver: 'clickhouse', error },
    { event: 'archiver.failed', archiver: 'fileavro', error },
  ])
  expect(collector.spans.map(({ name }) => name).sort()).toEqual([
    'archive clickhouse',
    'archive clickhouse',
    'mark',
    'read',
    'send',
  ])
  const failed = collector.spans.filter((span) => span.error !== undefined)
  expect(failed).toMatchObject([
    { error: 'the server went away', attributes: { 'error.type': 'CLICKHOUSE_UNREACHABLE' } },
  ])
})

test('a collector that does not answer is told of once, and nothing fails', async () => {
  const collector = await Collector.start()
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '300')
  await collector[Symbol.asyncDispose]()
  const warnings: string[] = []
  const tracing = startTracing({ version: '1.2.3', warn: (text) => warnings.push(text) })
  tracing.onEvent(done)
  await tracing[Symbol.asyncDispose]()
  expect(warnings).toEqual([expect.stringContaining('traces cannot be delivered (OTEL_EXPORTER_OTLP_ENDPOINT)')])
})

test('the example of the README runs', async () => {
  const [example] = await readmeExamples('.')
  expect(await runExample(example!, '.', {})).toContain('function')
})
