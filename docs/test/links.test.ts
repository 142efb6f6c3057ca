import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { allPages, anchorsOf, type Page, root, withoutCode } from './markdown.js'

/** Links within the repository that lead nowhere. */
function deadLinks({ path, text }: Page): string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  return links.filter((link) => !/^(https?:|mailto:)/.test(link) && !leadsSomewhere(path, link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [file, anchor] = link.split('#') as [string, string | undefined]
  const target = file === '' ? page : normalize(join(page, '..', file))
  if (!existsSync(join(root, target))) return false
  if (anchor === undefined) return true
  return statSync(join(root, target)).isFile() && anchorsOf(readFileSync(join(root, target), 'utf8')).has(anchor)
}

test.each(allPages())('$path: every link leads somewhere', (page) => {
  expect(deadLinks(page)).toEqual([])
})

test('a dead link is found, and a dead anchor', () => {
  const text = '[a](docs/none.md) [b](README.md#none) [c](README.md#run-it) `[d](none.md)` [e](https://a.b)'
  expect(deadLinks({ path: 'README.md', text })).toEqual(['docs/none.md', 'README.md#none'])
})
