import type { Chromium } from '@archiver/testkit'
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core'

export function launch({ executablePath, args, env }: Chromium): Promise<Browser> {
  return playwright.launch({ executablePath, args, env })
}

/** A page that shows the service, and what went wrong in it: errors, refusals of the policy, requests to other hosts. */
export interface ShownPage {
  readonly page: Page
  readonly complaints: readonly string[]
}

/** Opens the page, and waits until it is live and has drawn its charts. */
export async function show(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<ShownPage> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asked ${request.url()}`)
  })
  await page.goto(url)
  await page.locator('body[data-connection="live"]').waitFor()
  await page.locator('.chart .line[d^="M"]').first().waitFor({ state: 'attached' })
  return { page, complaints }
}
