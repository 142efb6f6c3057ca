import { expect, test } from 'vitest'
import { optionsHelp, readOptions } from './options.mjs'

const options = {
  rows: { type: 'count', about: 'how many', default: 1_000_000, min: 1, max: 100_000_000 },
  json: { type: 'text', about: 'a file' },
  stay: { type: 'flag', about: 'stay' },
}
const read = (args, env) => readOptions(args, options, env)

test('values stand after a blank or an equals sign; what is not given has its default', () => {
  expect(read([])).toEqual({ rows: 1_000_000, json: undefined, stay: undefined })
  expect(read(['--rows', '5000', '--stay'])).toMatchObject({ rows: 5000, stay: true })
  expect(read(['--json=a=b', '--rows=2_000'])).toMatchObject({ json: 'a=b', rows: 2000 })
})

test('what npm keeps for itself where the lone -- was forgotten is taken from its environment', () => {
  expect(read([], { npm_config_rows: '5000', npm_config_stay: 'true' })).toMatchObject({ rows: 5000, stay: true })
  expect(read(['--rows', '7'], { npm_config_rows: '5000' })).toMatchObject({ rows: 7 })
})

test.each(['0', '-5', '1.5', 'many', '1e6', '100000001', '0x10', ' '])('--rows %s is refused by name', (text) => {
  expect(() => read(['--rows', text])).toThrow(
    `--rows takes a whole number from 1 to 100,000,000, such as 1000000; not "${text}"`,
  )
})

test('a missing value, an unknown option and a stray word are named', () => {
  expect(() => read(['--rows'])).toThrow('--rows needs a value')
  expect(() => read(['--rows='])).toThrow('--rows needs a value')
  expect(() => read(['--row', '5'])).toThrow('unknown: --row. The options are --rows, --json, --stay')
  expect(() => read(['5000'])).toThrow('npm run … -- --rows 5000')
  expect(() => read(['--toString'])).toThrow('unknown')
})

test('a text may be one of a few', () => {
  const few = { only: { type: 'text', about: 'a part', choices: ['main', 'idle'] } }
  expect(readOptions(['--only', 'idle'], few)).toEqual({ only: 'idle' })
  expect(() => readOptions(['--only', 'all'], few)).toThrow('--only takes main, idle; not "all"')
})

test('the help tells every option, what it takes and its default', () => {
  expect(optionsHelp(options)).toBe(
    ['  --rows N         how many [1,000,000]', '  --json TEXT      a file', '  --stay           stay'].join('\n'),
  )
})
