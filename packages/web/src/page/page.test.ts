import { describeWithChromium } from '@archiver/testkit/vitest'
import axe from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { launch, show } from '../testing/browser.js'
import { exampleFailure, exampleHistory, exampleStatus, failingStatus } from '../testing/example-status.js'
import { exampleView, openWeb } from '../testing/open-web.js'
import { ScriptedView } from '../testing/scripted-view.js'

interface Violation {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string }[]
}

/** What axe finds that is serious or critical, and which elements have it. */
async function accessibilityProblems(page: Page): Promise<unknown[]> {
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run()')) as { violations: readonly Violation[] } // as axe answers
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))
}

await describeWithChromium('the page in Chromium', (chromium) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(chromium)
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
  })
  afterAll(() => browser.close())

  const card = (page: Page, name: string) => page.locator(`[data-archiver="${name}"]`)
  const shows = (page: Page, name: string, text: string | RegExp) => card(page, name).getByText(text).waitFor()
  const iconOf = (page: Page) => page.locator('link[rel="icon"]').getAttribute('href')
  const titleIs = (page: Page, text: string) =>
    page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor()

  test('shows what goes on: a sink fails, lag grows, the hint says what to do, it recovers; without a reload', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const { page, complaints } = await show(browser, web.url)
    await page.evaluate('window.sameDocument = true')
    await titleIs(page, 'All 4 archives are up to date')
    await shows(page, 'clickhouse', '3.2 s')
    const heights = () => card(page, 'clickhouse').locator('.lag .line').getAttribute('d')
    const calm = await heights()

    const failing = { state: 'failing', health: 'failing', error: exampleFailure, failuresInARow: 2 } as const
    view.setArchiver('clickhouse', { ...failing, lag: { rows: '90000', ms: 45_000 } }, { health: 'failing' })
    await titleIs(page, 'clickhouse is failing')
    await shows(page, 'clickhouse', '45 s')
    await shows(page, 'clickhouse', '90,000 rows at most')
    await shows(page, 'clickhouse', exampleFailure.message)
    await shows(page, 'clickhouse', exampleFailure.hint!)
    await shows(page, 'clickhouse', /CLICKHOUSE_UNREACHABLE · \d+ s ago, \d\d:\d\d:\d\d, 2 times in a row/)
    expect(await page.title()).toContain('clickhouse is failing')

    view.setArchiver('clickhouse', { lag: { rows: '360000', ms: 180_000 } })
    await shows(page, 'clickhouse', '3 min')
    const at = new Date(Date.now() + 30_000).toISOString()
    view.addSample({ at, archivers: { clickhouse: { lagRows: 360_000, lagMs: 180_000, rowsPerSecond: 0 } } })
    await card(page, 'clickhouse').getByText('most 3 min').waitFor()
    expect(await heights()).not.toBe(calm)

    const well = { state: 'waiting', health: 'ok', error: null, failuresInARow: 0 } as const
    view.setArchiver('clickhouse', { ...well, lag: { rows: '1200', ms: 900 } }, { health: 'ok' })
    await titleIs(page, 'All 4 archives are up to date')
    await shows(page, 'clickhouse', '0.9 s')
    expect(await card(page, 'clickhouse').locator('.trouble:visible').count()).toBe(0)
    expect(await page.evaluate('window.sameDocument')).toBe(true)
    expect(complaints).toEqual([])
  })

  test('shows text as text: nothing of it is run', async () => {
    const evil = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'
    const status = failingStatus(60_000)
    const failure = { ...exampleFailure, code: evil, message: evil, hint: evil }
    const archivers = status.archivers.map((one) => ({ ...one, archiver: `${one.archiver}${evil}`, error: failure }))
    const view = new ScriptedView({ ...status, archivers, host: evil, database: evil, version: evil }, exampleHistory())
    await using web = await openWeb(view)
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(web.url)
    await page.locator('.trouble-message', { hasText: evil }).first().waitFor()
    expect(await page.evaluate('[window.harmed, document.querySelectorAll("main img, main script").length]')).toEqual([
      undefined,
      0,
    ])
    expect(await page.locator('h3', { hasText: evil }).count()).toBe(4)
  })

  test('refuses what would make markup of text, should anybody write that one day', async () => {
    await using web = await openWeb()
    const { page } = await show(browser, web.url)
    await expect(page.evaluate('document.body.innerHTML = "<b>x</b>"')).rejects.toThrow(/TrustedHTML/)
    const inline =
      'new Promise((done) => { const s = document.createElement("style"); s.textContent = "h1{color:red}"; document.head.append(s); done(document.styleSheets.length) })'
    expect(await page.evaluate(inline)).toBe(1)
  })

  test('says when the connection is lost, and goes on when it is back', async () => {
    const view = exampleView()
    const web = await openWeb(view)
    const { page } = await show(browser, web.url)
    await web[Symbol.asyncDispose]()
    await page.getByRole('heading', { level: 1, name: /^No answer since \d\d:\d\d$/ }).waitFor()
    expect(await page.title()).toMatch(/^No answer since \d\d:\d\d · ntppool$/)
    expect(await iconOf(page)).toBe('page/icon-unknown.svg')
    await page.getByText(/^connection lost at \d\d:\d\d:\d\d; trying again$/).waitFor()
    await shows(page, 'clickhouse', '3.2 s')
    view.setArchiver('clickhouse', { lag: { rows: '1', ms: 700 } })
    await using _again = await openWeb(view, { listen: `127.0.0.1:${web.port}` })
    await page.getByText('live', { exact: true }).waitFor()
    await shows(page, 'clickhouse', '0.7 s')
    await titleIs(page, 'All 4 archives are up to date')
    expect(await iconOf(page)).toBe('page/icon-ok.svg')
  })

  test('asks every few seconds where there is no room for another live page', async () => {
    const view = exampleView()
    await using web = await openWeb(view, { limits: { liveClients: 0 } })
    const page = await (await browser.newContext()).newPage()
    await page.goto(web.url)
    await page.getByText('asked every 5 s').waitFor()
    await shows(page, 'clickhouse', '3.2 s')
    view.setArchiver('clickhouse', { lag: { rows: '1', ms: 800 } })
    await shows(page, 'clickhouse', '0.8 s')
  })

  test('goes by the clock of the service', async () => {
    await using web = await openWeb()
    const { page } = await show(browser, web.url)
    await shows(page, 'fileavro', /^7 h ago/)
    const other = await (await browser.newContext()).newPage()
    await other.clock.install({ time: new Date(Date.now() - 86_400_000 * 400) })
    await other.goto(web.url)
    await shows(other, 'fileavro', /^7 h ago/)
  })

  const { service, mysql, cleanup } = exampleStatus()
  const held = { reason: 'no-mark', why: 'gcsavro has stored nothing yet', hint: 'Let it catch up.' }
  test.each([
    [
      'a standby',
      { service: { ...service!, role: 'standby' as const, lock: { name: 'archiver-ntppool', holder: '10.1.2.3' } } },
      ['Standing by', '10.1.2.3 has the lock'],
    ],
    [
      'MySQL out of reach',
      { health: 'failing' as const, mysql: { ...mysql, reachable: false, error: exampleFailure } },
      ['MySQL is out of reach', 'out of reach', exampleFailure.hint!],
    ],
    [
      'what holds cleanup up',
      { cleanup: { ...cleanup!, state: 'blocked' as const, blocked: held } },
      ['blocked: no-mark', held.why, held.hint],
    ],
    [
      'refused settings',
      { service: { ...service!, reload: { at: new Date().toISOString(), taken: false, text: 'ch_dsn: is no DSN' } } },
      ['ch_dsn: is no DSN'],
    ],
    [
      'what an operator should know of the table',
      {
        warnings: [
          {
            code: 'ROWS_UNARCHIVED' as const,
            message: 'no archive keeps the key kod',
            hint: 'unarchived=kod',
            rows: 7,
          },
          { code: 'ROW_ID_LOW' as const, message: 'row 0 can never be archived', hint: 'give it another id', rows: 1 },
        ],
      },
      [
        'ROWS_UNARCHIVED',
        'no archive keeps the key kod',
        'unarchived=kod',
        'row 0 can never be archived',
        '2 warnings',
      ],
    ],
    ['nothing turned on', { archivers: [], cleanup: null }, ['No archive is turned on', 'not turned on']],
  ])('shows %s', async (_, change, texts) => {
    await using web = await openWeb(new ScriptedView(exampleStatus(change)))
    const page = await (await browser.newContext()).newPage()
    await page.goto(web.url)
    for (const text of texts) await page.getByText(text).first().waitFor()
  })

  test('a service that is silent, as after kill -STOP, is not shown as well', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const context = await browser.newContext()
    const page = await context.newPage()
    // What the service sends comes to the page no more; the connection stays open.
    await page.clock.install()
    await page.goto(web.url)
    await titleIs(page, 'All 4 archives are up to date')
    await context.route('**/*', (route) => route.abort())
    await page.evaluate('window.EventSource = class extends EventTarget { close() {} }; performance.now = () => 1e9')
    await page.clock.runFor(6_000)
    await page.getByRole('heading', { level: 1, name: /^No answer since/ }).waitFor()
  })

  test('the banner says in one glance what fails, since when, why, how far behind, what then, and where to read on', async () => {
    await using web = await openWeb(new ScriptedView(failingStatus(420_000), exampleHistory()))
    const { page } = await show(browser, web.url)
    await titleIs(page, 'clickhouse is failing')
    const banner = page.locator('#verdict')
    await banner.getByText(/^Since \d+ min.* ago, .+: ClickHouse at 10\.0\.0\.5:8123 does not answer/).waitFor()
    await banner.getByText('7 min behind, 840,000 rows at most.').waitFor()
    await banner.getByText(/MySQL starts to grow in 14 d 23 h, /).waitFor()
    await banner.getByText(/^Next try in \d+ s\.$/).waitFor()
    const link = banner.getByRole('link', { name: 'Runbook: CLICKHOUSE_UNREACHABLE' })
    expect(await link.getAttribute('href')).toBe('https://archiver.example/runbook/CLICKHOUSE_UNREACHABLE')
    expect(await iconOf(page)).toBe('page/icon-failing.svg')
  })

  test('an archive that is filled once a day is on schedule, not hours behind', async () => {
    await using web = await openWeb()
    const { page } = await show(browser, web.url)
    await shows(page, 'gcsavro', 'on schedule')
    await shows(page, 'gcsavro', /^next batch in 1[23] h.*; the oldest row waits 11 h, 86,204,551 rows at most$/)
    expect(await card(page, 'gcsavro').locator('.big', { hasText: '11 h' }).count()).toBe(0)
    await shows(page, 'clickhouse', '3.2 s')
  })

  test('a standby names the leader, and claims nothing that it does not know', async () => {
    const archivers = exampleStatus().archivers.map((one) => ({ ...one, state: 'unknown' as const, nextRunAt: null }))
    const lock = { name: 'archiver-ntppool', holder: 'connection 7, host 10.1.2.3:4711' }
    const role = { ...service!, role: 'standby' as const, lock }
    const state = { ...cleanup!, state: 'unknown' as const, nextRunAt: null }
    await using web = await openWeb(new ScriptedView(exampleStatus({ archivers, service: role, cleanup: state })))
    const page = await (await browser.newContext()).newPage()
    await page.goto(web.url)
    await titleIs(page, 'Standing by')
    await page.getByText('is known to the leader only').waitFor()
    await shows(page, 'gcsavro', 'on schedule')
    await shows(page, 'gcsavro', /^a batch every 24 h; /)
    const link = page.getByRole('link', { name: `http://10.1.2.3:${web.port}/` })
    expect(await link.count()).toBe(1)
    expect(await page.locator('[data-health="ok"]').count()).toBe(1) // MySQL, which answers
    expect(await page.locator('#verdict').getAttribute('data-health')).toBe('unknown')
    expect(await iconOf(page)).toBe('page/icon-unknown.svg')
  })

  test('MySQL out of reach at the start: nothing is claimed about cleanup, the lock or the archives', async () => {
    const none = { answeredAt: null, nextTryAt: null, pool: null }
    const down = { ...none, reachable: false, error: { ...exampleFailure, code: 'MYSQL_UNREACHABLE' } }
    const role = { ...service!, role: 'starting' as const, lock: { name: 'archiver-ntppool', holder: null } }
    const status = exampleStatus({
      mysql: down,
      service: role,
      archivers: [],
      cleanup: null,
      newest: null,
      health: 'failing',
    })
    await using web = await openWeb(new ScriptedView(status))
    const page = await (await browser.newContext()).newPage()
    await page.goto(web.url)
    await titleIs(page, 'MySQL is out of reach')
    const around = (name: string) => page.locator(`[data-card="${name}"]`)
    await around('Cleanup').getByText('unknown').waitFor()
    await around('Service').getByText('archiver-ntppool; its holder is not known').waitFor()
    expect(await page.getByText(/not turned on|not held/).count()).toBe(0)
    expect(await page.locator('[data-health="ok"]').count()).toBe(0)
    expect(await (await web.get('/metrics')).text()).not.toMatch(/^archiver_lock_held /m)
  })

  test('MySQL out of reach later: what waits is unknown, never 0 or green', async () => {
    const status = exampleStatus({ health: 'failing', mysql: { ...mysql, reachable: false, error: exampleFailure } })
    await using web = await openWeb(new ScriptedView(status, exampleHistory()))
    const { page } = await show(browser, web.url)
    await shows(page, 'clickhouse', 'unknown')
    await shows(page, 'clickhouse', 'MySQL does not answer; last known: 3.2 s')
    expect(
      await page
        .locator('[data-archiver][data-health="ok"], [data-card][data-health="ok"]:not([data-card="Service"])')
        .count(),
    ).toBe(0)
  })

  test('without JavaScript the status is in the page itself', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    const status = failingStatus(420_000)
    await using web = await openWeb(new ScriptedView({ ...status, host: evil }, exampleHistory()))
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await page.goto(web.url)
    await page.getByRole('heading', { level: 1, name: 'clickhouse is failing' }).waitFor()
    await page.getByText(/7 min behind, 840,000 rows at most/).waitFor()
    await page
      .getByRole('cell', { name: /on schedule/ })
      .first()
      .waitFor()
    expect(await page.locator('noscript p').first().textContent()).toContain(`archived by ${evil}`)
    expect(await page.getByText('connecting').isVisible()).toBe(false)
    expect(await page.locator('main img').count()).toBe(0)
  })

  test('leaves nothing of what does not hold any more', async () => {
    const view = exampleView()
    await using web = await openWeb(view)
    const { page } = await show(browser, web.url)
    const around = (name: string) => page.locator(`[data-card="${name}"]`)
    await around('Cleanup').getByText('200,000 rows').waitFor()
    view.set({
      cleanup: null,
      archivers: view.current.archivers.slice(0, 1),
      service: { ...service!, role: 'standby' },
    })
    await around('Cleanup').getByText('200,000 rows').waitFor({ state: 'hidden' })
    await card(page, 'bigquery').waitFor({ state: 'detached' })
    await around('Service').getByText('standby').waitFor()
    expect(await around('Service').getByText('leader').count()).toBe(0)
    expect(await page.locator('[data-archiver]').count()).toBe(1)
  })

  test('names what was taken out, and the batch under way', async () => {
    const view = exampleView()
    view.setArchiver('fileavro', { skippedRows: 3 })
    await using web = await openWeb(view)
    const { page } = await show(browser, web.url)
    await shows(page, 'fileavro', '3 rows taken out')
    await shows(page, 'bigquery', /^604,160 of 1,219,882 rows at most; began \d+ s ago/)
    expect(Number(await card(page, 'bigquery').locator('progress').getAttribute('value'))).toBeCloseTo(0.495, 2)
  })

  const late = exampleStatus().archivers.map((one) => ({ ...one, health: 'late' as const, skippedRows: 1 }))
  const states = {
    well: exampleStatus(),
    failing: failingStatus(420_000),
    late: exampleStatus({ health: 'late', archivers: late }),
    standby: exampleStatus({
      service: {
        ...service!,
        role: 'standby',
        lock: { name: 'archiver-ntppool', holder: 'connection 7, host 10.1.2.3:1' },
      },
    }),
    unreachable: exampleStatus({ health: 'failing', mysql: { ...mysql, reachable: false, error: exampleFailure } }),
  }
  const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
  test.each<[string, keyof typeof states, BrowserContextOptions]>([
    ['light', 'well', { colorScheme: 'light' }],
    ['light', 'failing', { colorScheme: 'light' }],
    ['light', 'late', { colorScheme: 'light' }],
    ['dark', 'well', { colorScheme: 'dark' }],
    ['dark', 'failing', { colorScheme: 'dark' }],
    ['dark', 'late', { colorScheme: 'dark' }],
    ['light', 'standby', { colorScheme: 'light' }],
    ['dark', 'standby', { colorScheme: 'dark' }],
    ['light', 'unreachable', { colorScheme: 'light' }],
    ['dark', 'unreachable', { colorScheme: 'dark' }],
    ['on a phone', 'failing', phone],
    ['on a phone', 'standby', phone],
  ])('axe finds nothing serious, and nothing hangs over the edge: %s, %s', async (_, state, options) => {
    await using web = await openWeb(new ScriptedView(states[state], exampleHistory()))
    const { page, complaints } = await show(browser, web.url, options)
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    expect(complaints).toEqual([])
  })
})
