import { startPrometheus } from '@archiver/testkit'
import { describeWithPrometheus } from '@archiver/testkit/vitest'
import { expect, test, vi } from 'vitest'
import { exampleBatchDone } from './testing/example-events.js'
import { exampleFailure } from './testing/example-status.js'
import { exampleView, openWeb } from './testing/open-web.js'

await describeWithPrometheus('a real Prometheus', () => {
  test('scrapes it, and shows the series as they change', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const prometheus = await startPrometheus({ target: `127.0.0.1:${web.port}` })
    try {
      const until = async (expression: string, values: unknown) =>
        vi.waitFor(async () => expect(await prometheus.query(expression)).toEqual(values), {
          timeout: 20_000,
          interval: 200,
        })
      const one = (value: number, metric = {}) => [{ metric: expect.objectContaining(metric), value }]

      await until('up{job="archiver"}', one(1))
      await until('archiver_lag_seconds{archiver="clickhouse"}', one(3.2))
      await until('archiver_archived_rows_total{archiver="clickhouse"}', one(0))
      view.emit(exampleBatchDone('clickhouse', 1000, 64_000, 200))
      view.setArchiver('clickhouse', {
        health: 'failing',
        state: 'failing',
        error: exampleFailure,
        lag: { rows: '90000', ms: 45_000 },
      })
      await until('archiver_lag_seconds{archiver="clickhouse"}', one(45))
      await until(
        'increase(archiver_archived_rows_total{archiver="clickhouse"}[1m]) > 0',
        one(expect.any(Number) as number),
      )
      await until('archiver_health{health="failing"} == 1', one(1, { archiver: 'clickhouse' }))
      await until(
        'histogram_quantile(0.5, archiver_batch_duration_seconds_bucket{archiver="clickhouse"})',
        one(expect.closeTo(0.175, 3) as number),
      )
      await until('archiver_http_requests_total{path="/metrics",code="200"} > 1', one(expect.any(Number) as number))
    } finally {
      await prometheus.stop()
    }
  })
})
