import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './steps.mjs'

const MAX_LINES = 300

/** Sources of packages and apps, without tests and what is generated. */
function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => filesIn(join(root, folder, name, 'src')))
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('page-files.ts'))
    .map((name) => join(folder, name))
}

test(`no source file has more than ${MAX_LINES} lines: one idea each`, () => {
  const large = [...sources('packages'), ...sources('apps')].flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1
    return lines > MAX_LINES ? [`${file}: ${lines}`] : []
  })
  expect(large).toEqual([])
})
