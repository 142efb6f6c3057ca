import { freePort, generateRows, insertRows, LoggingProcess, startClickHouse } from '@archiver/testkit'
import { describeWithChromium, describeWithMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { chromium as playwright } from 'playwright-core'
import { expect, test } from 'vitest'
import { launcher } from './run-cli.js'
import { Workplace } from './workplace.js'

await describeWithChromium('the status page of archiver run', async (chromium) => {
  await describeWithMySql('with a real archive', { clickhouse: sharedClickHouse }, (database) => {
    test('shows that ClickHouse is gone, lag that grows, what to do, and that it is back', async () => {
      const place = await Workplace.open(database)
      const clickhouse = await startClickHouse()
      await place.reset(1_000, ['clickhouse'])
      place.env.ch_dsn = `tcp://127.0.0.1:9000/default?http_port=${clickhouse.httpPort}`
      place.env.http_listen = `127.0.0.1:${await freePort()}`
      const cli = new LoggingProcess({ command: launcher, args: ['run'], env: { run_interval: '100ms', ...place.env } })
      const browser = await playwright.launch(chromium)
      try {
        await cli.event('archiver.done', ({ rows }) => rows === 1_000)
        const page = await browser.newPage()
        const errors: string[] = []
        page.on('pageerror', (error) => errors.push(String(error)))
        await page.goto(`http://${place.env.http_listen}/`)
        const card = page.locator('[data-archiver="clickhouse"]')
        await page.getByRole('heading', { name: 'The archive is up to date' }).waitFor()
        await card.getByText('id 1,000', { exact: true }).waitFor()

        await clickhouse.process.kill()
        await insertRows(place.connection, 'log_scores', generateRows({ rows: 500, firstId: 1_001n }))
        await card.getByText('500 rows at most').waitFor()
        await card.getByText('CLICKHOUSE_UNREACHABLE').waitFor()
        expect(await card.locator('.trouble-hint').first().textContent()).not.toBe('')
        await insertRows(place.connection, 'log_scores', generateRows({ rows: 250, firstId: 1_501n }))
        await card.getByText('750 rows at most').waitFor()

        await clickhouse.process.restart()
        await card.getByText('id 1,750', { exact: true }).waitFor({ timeout: 60_000 })
        await page.getByRole('heading', { name: 'The archive is up to date' }).waitFor()
        expect(await card.locator('.trouble:visible').count()).toBe(0)
        expect(errors).toEqual([])
        expect(await cli.end()).toBe(0)
      } finally {
        await browser.close()
        await cli.end('SIGKILL')
        await clickhouse.stop()
        await place.close()
      }
    })
  })
})
