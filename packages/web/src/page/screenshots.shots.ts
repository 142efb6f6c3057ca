import { join } from 'node:path'
import { describeWithChromium } from '@archiver/testkit/vitest'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, show } from '../testing/browser.js'
import { exampleHistory, exampleStatus, failingStatus } from '../testing/example-status.js'
import { openWeb } from '../testing/open-web.js'
import { ScriptedView } from '../testing/scripted-view.js'

const images = process.env.ARCHIVER_SCREENSHOTS ?? join(import.meta.dirname, '../../../../docs/images')

/** The pictures in README.md and docs/status.md. Run by `pnpm --filter @archiver/web run screenshots`. */
await describeWithChromium('screenshots', (chromium) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(chromium)
  })
  afterAll(() => browser.close())

  const wide = { viewport: { width: 1200, height: 900 } }
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5, isMobile: true }
  test.each<[string, BrowserContextOptions, () => ScriptedView, boolean]>([
    ['status-light', { ...wide, colorScheme: 'light' }, fine, true],
    ['status-dark', { ...wide, colorScheme: 'dark' }, failing, true],
    ['status-phone', { ...phone, colorScheme: 'light' }, failing, false],
  ])('%s', async (name, options, view, fullPage) => {
    await using web = await openWeb(view())
    const { page, complaints } = await show(browser, web.url, options)
    await page.screenshot({ path: join(images, `${name}.png`), fullPage })
    expect(complaints).toEqual([])
  })
})

function fine(): ScriptedView {
  return new ScriptedView(exampleStatus(), exampleHistory())
}

/** ClickHouse has not answered for some minutes. */
function failing(): ScriptedView {
  const failedMs = 7 * 60_000
  const history = exampleHistory().map((sample) => {
    const sinceMs = Date.parse(sample.at) - (Date.now() - failedMs)
    if (sinceMs < 0) return sample
    const clickhouse = { lagRows: 2 * sinceMs, lagMs: sinceMs, rowsPerSecond: 0 }
    return { ...sample, archivers: { ...sample.archivers, clickhouse } }
  })
  return new ScriptedView(failingStatus(failedMs), history)
}
