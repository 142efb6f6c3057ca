import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configurationPage, configurationTable, markers, renewTable } from './documentation.js'
import { variableNames } from './variables.js'

const root = new URL('../../../../', import.meta.url)
const remedy = 'out of date: run `pnpm --filter @archiver/cli run docs` after a build'

it('has every variable once', () => {
  const rows = configurationTable().split('\n').slice(2)
  expect(rows.map((row) => row.split('`')[1])).toEqual(variableNames)
})

it('is what docs/configuration.md says', () => {
  expect(readFileSync(new URL('docs/configuration.md', root), 'utf8') === configurationPage(), remedy).toBe(true)
})

it('is what README.md says between its markers', () => {
  const path = new URL('README.md', root)
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : ''
  expect(renewTable(readme) === readme, remedy).toBe(true)
})

it('renews what is between the markers and nothing else', () => {
  const readme = `a\n${markers.start}\nold\n${markers.end}\nb`
  expect(renewTable(readme)).toBe(`a\n${markers.start}\n${configurationTable()}\n${markers.end}\nb`)
  expect(renewTable('no markers')).toBe('no markers')
})
