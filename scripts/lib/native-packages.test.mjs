import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { missingNativePackages, removeInstalled } from './native-packages.mjs'
import { root } from './steps.mjs'
import { readPackage } from './workspace.mjs'

const x64 = { os: 'linux', cpu: 'x64', libc: 'glibc' }
const lockfile = `lockfileVersion: '9.0'

packages:

  '@a/linux-x64@1.2.3':
    resolution: {integrity: sha512-x}
    engines: {node: ^20.19.0 || >=22.12.0}
    cpu: [x64]
    os: [linux]
    libc: [glibc]

  '@a/linux-x64-musl@1.2.3':
    resolution: {integrity: sha512-x}
    cpu: [x64]
    os: [linux]
    libc: [musl]

  b-arm64@4.5.6:
    resolution: {integrity: sha512-x}
    cpu: [arm64]
    os: [linux, darwin]

  c@7.0.0:
    resolution: {integrity: sha512-x}
    os: ['!win32']

  plain@1.0.0:
    resolution: {integrity: sha512-x}

snapshots:

  '@a/linux-x64@1.2.3':
    optional: true
`

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'native-'))
  writeFileSync(join(folder, 'pnpm-lock.yaml'), lockfile)
})
afterEach(() => rmSync(folder, { recursive: true }))

function install(path) {
  mkdirSync(join(folder, 'node_modules/.pnpm', path), { recursive: true })
  writeFileSync(join(folder, 'node_modules/.pnpm', path, 'package.json'), '{}')
}

test('what the lockfile has for this machine and is not installed is missing', () => {
  expect(missingNativePackages(folder, { ...x64, cpu: 'arm64' })).toEqual(['b-arm64@4.5.6', 'c@7.0.0'])
  install('@a+linux-x64@1.2.3/node_modules/@a/linux-x64')
  install('c@7.0.0/node_modules/c')
  expect(missingNativePackages(folder, x64)).toEqual([])
  expect(missingNativePackages(folder, { ...x64, libc: 'musl' })).toEqual(['@a/linux-x64-musl@1.2.3'])
})

test('what is installed can be removed', () => {
  install('@a+linux-x64@1.2.3/node_modules/@a/linux-x64')
  removeInstalled(folder)
  expect(missingNativePackages(folder, x64)).toEqual(['@a/linux-x64@1.2.3', 'c@7.0.0'])
})

test('this checkout lacks none', () => {
  expect(missingNativePackages(root)).toEqual([])
  expect(missingNativePackages(root, { ...x64, os: 'win32' })).not.toEqual([])
})

test('pnpm takes the packages that fit the Node that is installed with them', () => {
  const { version } = readPackage(join(root, 'node_modules/node')).manifest
  expect(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')).toContain(`\nnodeVersion: ${version}\n`)
})
