import { expect, test } from 'vitest'
import { npxArgs } from './npx-args.mjs'

const machine = {
  platform: 'linux',
  arch: 'x64',
  report: { getReport: () => ({ header: { glibcVersionRuntime: '2.36' } }) },
}

test.each(['9.7.2', '10.2.4', '11.6.2'])('npm %s takes the parts of pnpm by itself', (version) => {
  expect(npxArgs('pnpm@12.21.0', version, machine)).toEqual(['--yes', 'pnpm@12.21.0'])
})

test('the npm of Node 20.0 is told which native part of pnpm this machine needs', () => {
  expect(npxArgs('pnpm@12.21.0', '9.6.4', machine).join(' ')).toBe(
    '--yes --force --package pnpm@12.21.0 --package @pnpm/exe.linux-x64@12.21.0 -- pnpm',
  )
})

test('so is it on a machine with musl', () => {
  const alpine = { ...machine, report: { getReport: () => ({ header: {} }) } }
  expect(npxArgs('pnpm@12.21.0', '9.6.4', alpine).join(' ')).toContain('@pnpm/exe.linux-x64-musl@12.21.0')
})
