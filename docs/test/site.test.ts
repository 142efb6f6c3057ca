import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { root } from './markdown.js'

const out = mkdtempSync(join(tmpdir(), 'archiver-site-'))
afterAll(() => rmSync(out, { recursive: true }))

test('the site is built, with every page; a dead link within it fails the build', async () => {
  const vitepress = join(root, 'docs/node_modules/.bin/vitepress')
  await promisify(execFile)(vitepress, ['build', '.', '--outDir', out], { cwd: join(root, 'docs') })
  const sources = readdirSync(join(root, 'docs'), { recursive: true }).map(String)
  const pages = sources.filter(
    (path) => path.endsWith('.md') && !path.includes('node_modules') && !path.startsWith('.'),
  )
  expect(pages.length).toBeGreaterThan(100)
  expect(pages.filter((path) => !existsSync(join(out, path.replace(/\.md$/, '.html'))))).toEqual([])
})

test('every page has its place in the sidebar', () => {
  const config = readFileSync(join(root, 'docs/.vitepress/config.ts'), 'utf8')
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'index.md')
  expect(pages.filter((name) => !config.includes(`link: '/${name.slice(0, -3)}'`))).toEqual([])
})
