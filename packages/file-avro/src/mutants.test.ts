import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exactRow, fileNameOf, readLogScores } from '@archiver/avro'
import { type ConformanceSubject, checks, type DiskStep, runCheck } from '@archiver/conformance'
import { type Archiver, type Lease, type LogScore, type LogScoreChunk, rowsFromChunk } from '@archiver/core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createFileAvroArchiver } from './file-avro-archiver.js'

/** What the file system does wrong, and what it did. */
const system = vi.hoisted(() => ({ fault: '', log: [] as { step: DiskStep; path: string }[], folders: [] as string[] }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const isFolder = (path: unknown): boolean => system.folders.includes(String(path))
  const open = async (...args: Parameters<typeof real.open>) => {
    const handle = await real.open(...args)
    const [path] = args
    const step = isFolder(path) ? 'sync folder' : 'sync'
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      if (system.fault === `no ${step}`) return
      await sync()
      system.log.push({ step, path: String(path) })
    }
    return handle
  }
  const link = async (from: string, to: string) => {
    if (system.fault === 'overwrites') await real.rename(from, to)
    else await real.link(from, to)
    system.log.push({ step: 'publish', path: to })
  }
  const remove: typeof real.rm = async (path, options) => {
    if (system.fault !== 'nothing swept' || !String(path).endsWith('.tmp')) await real.rm(path, options)
  }
  return { ...real, open, link, rm: remove }
})

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof import('node:crypto')>()
  return { ...real, randomUUID: () => (system.fault === 'same name' ? '0' : real.randomUUID()) }
})

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'file-avro-mutants-'))
})
afterEach(() => {
  system.fault = ''
})
afterAll(() => rm(root, { recursive: true, force: true }))

function folderOf(table: string): string {
  const folder = join(root, table)
  if (!system.folders.includes(folder)) system.folders.push(folder)
  return folder
}

type Wrap = (archiver: Archiver) => Archiver

/** @param tableOf - the table whose folder is used for a table. */
function subject(wrap: Wrap = (archiver) => archiver, tableOf = (table: string) => table): ConformanceSubject {
  const openTable = async (table: string) =>
    wrap(createFileAvroArchiver({ path: folderOf(tableOf(table)), createPath: true, schema: 2, rowsPerBlock: 50 }))
  return {
    open: openTable,
    read: (table) => rowsIn(folderOf(tableOf(table))),
    convert: exactRow,
    wholeBatches: true,
    leftovers: async (table) => (await readdir(folderOf(table))).filter((name) => name.endsWith('.tmp')),
    diskLog: (table) => {
      const own = system.log.filter(({ path }) => path.startsWith(folderOf(table)))
      system.log = []
      return own.map(({ step }) => step)
    },
    misplaced: async (table) => {
      const wrong = []
      for (const { name, rows } of await filesIn(folderOf(table))) {
        if (name !== fileNameOf(rows[0]!)) wrong.push(`${name} begins with row ${rows[0]!.id}`)
      }
      return wrong
    },
  }
}

async function filesIn(folder: string): Promise<{ name: string; rows: LogScore[] }[]> {
  const files = []
  for (const name of (await readdir(folder)).filter((name) => name.endsWith('.avro'))) {
    const rows: LogScore[] = []
    for await (const chunk of readLogScores(join(folder, name))) rows.push(...rowsFromChunk(chunk))
    files.push({ name, rows })
  }
  return files
}

async function rowsIn(folder: string): Promise<LogScore[]> {
  return (await filesIn(folder)).flatMap(({ rows }) => rows)
}

/** The archiver with another `store`. */
function storing(
  store: (archiver: Archiver, ...args: Parameters<Archiver['store']>) => ReturnType<Archiver['store']>,
): Wrap {
  return (archiver) =>
    new Proxy(archiver, {
      get(target, name) {
        if (name === 'store') return (...args: Parameters<Archiver['store']>) => store(target, ...args)
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}

const answersNone: Wrap = (archiver) =>
  new Proxy(archiver, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'findStored') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<Archiver['findStored']>) => {
        const found = await target.findStored(...args)
        return found.kind === 'some' ? { kind: 'none' } : found
      }
    },
  })

const asksOnce = storing((archiver, batch, chunks, lease) => {
  let asked = false
  const once: Lease = {
    signal: new AbortController().signal,
    assertHeld: () => {
      if (!asked) lease.assertHeld()
      asked = true
    },
  }
  return archiver.store(batch, chunks, once)
})

const losesTexts = storing((archiver, batch, chunks, lease) => archiver.store(batch, withoutTexts(chunks), lease))

async function* withoutTexts(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    yield { ...chunk, dictionary: chunk.dictionary.map((entry) => ({ ...entry, json: null })) }
  }
}

const longIdentity = storing(async (archiver, ...args) => {
  const result = await archiver.store(...args)
  return { ...result, identity: `${result.identity}, `.repeat(200) }
})

/** Each file has the name of a row that is a second later. */
const wrongPlace = storing(async (archiver, batch, ...others) => {
  const result = await archiver.store(batch, ...others)
  const folder = folderOf(batch.table)
  const other = result.identity.replace(/^\d+/, (seconds) => String(Number(seconds) + 1))
  await rename(join(folder, result.identity), join(folder, other))
  return { ...result, identity: other }
})

describe('file Avro, every column kept, keeps the contract', () => {
  it.each(checks)('$name', (check) => runCheck(check, subject()))
})

describe('the suite finds', () => {
  const mutants: readonly [what: string, fault: string, subject: ConformanceSubject, check: RegExp][] = [
    ['rows under the time of another row', '', subject(wrongPlace), /where readers look/],
    ['"none" where some are held', '', subject(answersNone), /tells some of a range/],
    ["another batch's file overwritten", 'overwrites', subject(), /begins with the first row of another/],
    ['no sync of the file', 'no sync', subject(), /on disk before they get their name/],
    ['no sync of the folder', 'no sync folder', subject(), /on disk before they get their name/],
    ['a lease that is asked only once', '', subject(asksOnce), /lease that ends midway/],
    ['nothing swept', 'nothing swept', subject(), /removes what a process that died/],
    ['a temporary name used twice', 'same name', subject(), /wakes up while its successor writes/],
    [
      "another table's files read",
      '',
      subject(undefined, (table) => table.replace('_other', '')),
      /tables are kept apart/,
    ],
    ['the text of attributes lost', '', subject(losesTexts), /text of attributes/],
    ['an identity without bound', '', subject(longIdentity), /identity of a batch/],
  ]
  it.each(mutants)('%s', async (_, fault, mutant, name) => {
    system.fault = fault
    const check = checks.find((candidate) => name.test(candidate.name))!
    await expect(runCheck(check, mutant)).rejects.toThrow()
  })
})
