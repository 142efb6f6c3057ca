import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, sourceFiles } from './markdown.js'

const runbook = join(root, 'docs/runbook')
const pages = readdirSync(runbook).filter((name) => name.endsWith('.md') && name !== 'index.md')

/** What the codes of our errors begin with: other texts in capitals are of MySQL, Google or the environment. */
const families =
  /^(ARCHIVER?|AVRO|BATCH|BQ|CHDB|CLEANUP|CLICKHOUSE|CONFIG|GCS|HOLE|LATE|LOCK|MARK|MYSQL|RESTORE|ROWS?|SERVICE|SKIP|SOURCE|SPOOL|STATUS)_/

/** Codes that errors are given in the source of what is shipped. */
function codesInSource(): Set<string> {
  const files = sourceFiles('packages/*/src/**/*.ts', 'apps/*/src/**/*.ts')
  const shipped = files.filter(
    (file) => !/\.test\.ts$|\/(testing|e2e|testkit|conformance)\/|test-support|fault-hook/.test(file),
  )
  const codes = new Set<string>()
  for (const file of shipped) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, code] of text.matchAll(/\bcode: '([A-Z][A-Z_]+)'/g)) if (isOurs(code!)) codes.add(code!)
    for (const [, code] of text.matchAll(/'([A-Z]+_[A-Z_]+)'/g)) if (families.test(code!)) codes.add(code!)
  }
  return codes
}

/** System errors (`ENOENT`) have no underscore and are none of ours. */
function isOurs(code: string): boolean {
  return code.includes('_') || code === 'STOPPED' || code === 'UNEXPECTED'
}

test('every code has a page, and every page is of a code', () => {
  const named = pages.map((name) => name.slice(0, -3))
  expect(named.sort()).toEqual([...codesInSource()].sort())
})

test.each(pages)('%s says what happened, what is safe and what to do, and is in the index', (name) => {
  const text = readFileSync(join(runbook, name), 'utf8')
  expect(text).toMatch(/^# [A-Z_]+\n\n\S[\s\S]+\n\n\*\*Safe:\*\* \S[\s\S]+\n\n\*\*Do:\*\* \S/)
  expect(text.startsWith(`# ${name.slice(0, -3)}\n`)).toBe(true)
  expect(readFileSync(join(runbook, 'index.md'), 'utf8')).toContain(`](${name})`)
})
