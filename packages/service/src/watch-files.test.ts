import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FileWatch } from './watch-files.js'

let folder: string
let changes: number
beforeEach(() => {
  vi.useFakeTimers()
  folder = mkdtempSync(join(tmpdir(), 'archiver-watch-'))
  changes = 0
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

const at = (name: string) => join(folder, name)

function watch(...names: readonly string[]): FileWatch {
  return new FileWatch(
    () => names.map(at),
    () => {
      changes += 1
    },
  )
}

function looks(count: number): void {
  vi.advanceTimersByTime(count * 2_000)
}

test('tells once of a change, when the file has stayed as it is for a look', () => {
  writeFileSync(at('a.env'), 'x=1')
  using _ = watch('a.env', 'b.env')
  looks(3)
  expect(changes).toBe(0)
  writeFileSync(at('a.env'), 'x=')
  looks(1)
  writeFileSync(at('a.env'), 'x=2')
  looks(1)
  expect(changes).toBe(0)
  looks(5)
  expect(changes).toBe(1)
})

test('a file that is written anew with what it held is no change; one that comes or goes is', () => {
  writeFileSync(at('a.env'), 'x=1')
  using _ = watch('a.env', 'b.env')
  writeFileSync(at('a.env'), 'x=1')
  looks(3)
  expect(changes).toBe(0)
  writeFileSync(at('b.env'), 'y=1')
  looks(2)
  expect(changes).toBe(1)
  unlinkSync(at('a.env'))
  looks(2)
  expect(changes).toBe(2)
})

test('links are swapped as Kubernetes does it', () => {
  for (const version of ['one', 'two']) writeFileSync(at(version), `x=${version}`)
  symlinkSync(at('one'), at('..data'))
  symlinkSync(at('..data'), at('a.env'))
  using _ = watch('a.env')
  unlinkSync(at('..data'))
  symlinkSync(at('two'), at('..data'))
  looks(2)
  expect(changes).toBe(1)
})
