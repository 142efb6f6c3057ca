import { expect, it } from 'vitest'
import { invocationOf } from './invocation.js'

it.each([
  ['/archiver/archive-continuously', [], ['run'], true],
  ['archive-continuously', ['--log-format', 'json'], ['run', '--log-format', 'json'], true],
  ['/archiver/archive-continuously', ['run'], ['run'], true],
  ['/archiver/archive-continuously', ['status', '--json'], ['status', '--json'], true],
  ['/archiver/archive-continuously', ['--version'], ['--version'], true],
  ['/usr/bin/node', ['archive-continuously'], ['run'], true],
  ['/archiver/archive-continuously', ['archive-continuously'], ['run'], true],
  ['/archiver/archiver', ['archive-continuously', 'config'], ['config'], true],
  ['/archiver/archiver', ['archive'], ['archive'], false],
  ['/archiver/archiver', [], [], false],
  ['/archive-continuously/archiver', ['run'], ['run'], false],
])('%s %j', (program, words, args, asLoop) => {
  expect(invocationOf(program, words)).toEqual({ args, asLoop })
})
