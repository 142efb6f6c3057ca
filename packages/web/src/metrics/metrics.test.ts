import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiverError } from '@archiver/core'
import { promtool } from '@archiver/testkit'
import { describeWithPrometheus } from '@archiver/testkit/vitest'
import { describe, expect, test } from 'vitest'
import { exampleBatchDone, exampleEvents } from '../testing/example-events.js'
import { exampleArchiver, exampleFailure, exampleStatus } from '../testing/example-status.js'
import { exampleView, type OpenWeb, openWeb } from '../testing/open-web.js'
import { ScriptedView } from '../testing/scripted-view.js'

interface Metric {
  readonly name: string
  readonly type: string
  /** Sorted, joined. */
  readonly labels: string
  readonly help: string
}

async function scrape(web: OpenWeb): Promise<string> {
  const response = await web.get('/metrics')
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return response.text()
}

/** The metrics of an exposition, by its HELP, TYPE and sample lines. */
function metricsOf(exposition: string): Metric[] {
  return [...exposition.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)\n((?:[^#\n].*\n)*)/gm)].map(
    ([, name, help, type, lines]) => {
      const labels = new Set(
        [...lines!.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) => label !== 'le'),
      )
      return { name: name!, type: type!, labels: [...labels].sort().join(', '), help: help! }
    },
  )
}

/** The rows of the tables of docs/metrics.md. */
async function documented(): Promise<Metric[]> {
  const page = await readFile(join(import.meta.dirname, '../../../../docs/metrics.md'), 'utf8')
  return [...page.matchAll(/^\| `(archiver_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)].map(
    ([, name, type, labels, help]) => ({
      name: name!,
      type: type!,
      labels: labels!.split(', ').sort().join(', ').trim(),
      help: help!,
    }),
  )
}

/** A service of which every metric has something to say. */
function busyView(): ScriptedView {
  const { service, cleanup } = exampleStatus()
  return new ScriptedView(
    exampleStatus({
      service: { ...service!, reload: { at: new Date().toISOString(), taken: true, text: 'taken' } },
      cleanup: { ...cleanup!, state: 'blocked', blocked: { reason: 'no-mark', why: 'why', hint: null } },
    }),
  )
}

function seriesValue(exposition: string, series: string): number | undefined {
  const line = exposition.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test('docs/metrics.md names each metric with its type, labels and meaning, and no other', async () => {
  const view = busyView()
  await using web = await openWeb(view)
  await web.get('/healthz')
  for (const event of exampleEvents) view.emit(event)
  const real = metricsOf(await scrape(web)).filter(({ name }) => name.startsWith('archiver_'))
  const byName = (a: Metric, b: Metric) => a.name.localeCompare(b.name)
  expect((await documented()).sort(byName)).toEqual(real.sort(byName))
})

await describeWithPrometheus('promtool', () => {
  test('finds nothing to object to', async () => {
    const view = busyView()
    await using web = await openWeb(view)
    for (const event of exampleEvents) view.emit(event)
    expect(await promtool(['check', 'metrics'], await scrape(web))).toBe('')
  })
})

describe('counters', () => {
  test('begin at 0 for each archiver, so that the first increase is seen', async () => {
    await using web = await openWeb()
    const first = await scrape(web)
    for (const name of ['rows', 'batches', 'bytes']) {
      expect(seriesValue(first, `archiver_archived_${name}_total{archiver="clickhouse"}`)).toBe(0)
    }
    expect(seriesValue(first, 'archiver_batch_duration_seconds_count{archiver="fileavro"}')).toBe(0)
  })

  test('count what the engine reports', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    view.emit(exampleBatchDone('clickhouse', 1000, 64_000, 200))
    view.emit(exampleBatchDone('clickhouse', 500, 32_000, 7_000))
    const after = await scrape(web)
    expect(seriesValue(after, 'archiver_archived_rows_total{archiver="clickhouse"}')).toBe(1500)
    expect(seriesValue(after, 'archiver_archived_batches_total{archiver="clickhouse"}')).toBe(2)
    expect(seriesValue(after, 'archiver_archived_bytes_total{archiver="clickhouse"}')).toBe(96_000)
    expect(seriesValue(after, 'archiver_batch_duration_seconds_sum{archiver="clickhouse"}')).toBeCloseTo(7.2)
    expect(seriesValue(after, 'archiver_batch_step_seconds_total{archiver="clickhouse",step="read"}')).toBeCloseTo(
      0.4 * 7.2,
    )
    expect(seriesValue(after, 'archiver_batch_duration_seconds_bucket{le="0.25",archiver="clickhouse"}')).toBe(1)
    expect(seriesValue(after, 'archiver_archived_rows_total{archiver="bigquery"}')).toBe(0)
  })

  test('count errors by code, in bounded many series', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const failed = (error: Error) => view.emit({ event: 'archiver.failed', archiver: 'clickhouse', error })
    for (let i = 0; i < 500; i++) failed(new ArchiverError('x', { code: `CODE_${i}` }))
    failed(new ArchiverError('x', { code: 'CODE_7' }))
    failed(new Error('x'))
    const after = await scrape(web)
    expect(seriesValue(after, 'archiver_errors_total{archiver="clickhouse",code="CODE_7"}')).toBe(2)
    expect(after.match(/^archiver_errors_total\{/gm)!.length).toBeLessThan(250)
    expect(seriesValue(after, 'archiver_errors_total{archiver="clickhouse",code="OTHER"}')).toBe(301)
  })
})

describe('gauges', () => {
  test('follow the status, and go where there is no value', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const before = await scrape(web)
    expect(seriesValue(before, 'archiver_lag_seconds{archiver="clickhouse"}')).toBe(3.2)
    expect(seriesValue(before, 'archiver_mark_id{archiver="clickhouse"}')).toBe(4_213_899_814)
    expect(seriesValue(before, 'archiver_leader')).toBe(1)
    view.setArchiver('clickhouse', {
      mark: null,
      lag: { rows: null, ms: null },
      health: 'failing',
      error: exampleFailure,
      failuresInARow: 4,
    })
    view.set({
      newest: null,
      cleanup: null,
      mysql: { reachable: false, answeredAt: null, error: null, nextTryAt: null, pool: null },
    })
    const after = await scrape(web)
    expect(seriesValue(after, 'archiver_health{archiver="clickhouse",health="failing"}')).toBe(1)
    expect(seriesValue(after, 'archiver_health{archiver="clickhouse",health="ok"}')).toBe(0)
    expect(seriesValue(after, 'archiver_consecutive_failures{archiver="clickhouse"}')).toBe(4)
    expect(seriesValue(after, 'archiver_mysql_up')).toBe(0)
    for (const gone of [
      'lag_seconds{archiver="clickhouse"}',
      'mark_id{archiver="clickhouse"}',
      'newest_row_id',
      'mysql_last_answer_timestamp_seconds',
      'mysql_pool_open_connections',
    ]) {
      expect([gone, seriesValue(after, `archiver_${gone}`)]).toEqual([gone, undefined])
    }
    expect(after).not.toMatch(/^archiver_cleanup_(?:state|blocked|last_run_timestamp_seconds)[ {]/m)
  })

  test('forget an archiver that was turned off', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    await scrape(web)
    view.set({ archivers: [exampleArchiver('fileavro')] })
    expect(await scrape(web)).not.toMatch(/^archiver_(?:lag|mark|state|health).*clickhouse/m)
  })
})

test('a scrape looks at the status once, and what clients make up is no label', async () => {
  const view = exampleView()
  await using web = await openWeb(view)
  await web.get('/a"} 1\nfoo')
  await web.get('/wp-login.php')
  const before = view.statusCalls
  const text = await scrape(web)
  expect(view.statusCalls - before).toBe(1)
  expect(seriesValue(text, 'archiver_http_requests_total{path="other",code="404"}')).toBe(2)
  expect(text).not.toContain('wp-login')
})
