import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { launch } from '../launcher.js'
import { count, megabytes, textTable } from '../text.js'
import type { DataFolder } from './data-folder.js'
import { type DemoSource, storedBatches } from './source.js'

const archives = [
  { archiver: 'fileavro', name: 'Avro files', folder: 'avro' },
  { archiver: 'clickhouse', name: 'ClickHouse, embedded', folder: 'clickhouse' },
]

export interface ArchiveOptions {
  readonly folder: DataFolder
  readonly source: DemoSource
  /** The env file. */
  readonly config: string
  readonly signal: AbortSignal
}

/** Runs the archiver for one archive after the other, so that each shows its own memory. @returns a table. */
export async function archiveAll(options: ArchiveOptions): Promise<string> {
  const peaks = new Map<string, number | undefined>()
  console.log()
  for (const { archiver } of archives) peaks.set(archiver, await archiveInto(archiver, options))
  const stored = await storedBatches(options.source)
  return textTable(
    archives.map(({ archiver, name, folder }) => {
      const { rows = 0, rate = 0 } = stored.find((batches) => batches.archiver === archiver) ?? {}
      const peak = peaks.get(archiver)
      return {
        archive: name,
        rows: count(rows),
        'rows/s': count(rate),
        'peak memory, MB': peak === undefined ? '–' : megabytes(peak),
        'on disk, MB': megabytes(sizeOf(options.folder.file(folder))),
        where: join(options.folder.shortPath, folder),
      }
    }),
  )
}

/** Once more for all archives at once. @returns the rows that were still waiting. */
export async function archiveAgain({ folder, source, config, signal }: ArchiveOptions): Promise<number> {
  const before = await total(source)
  await run(['archive', '--config', config], { folder, signal })
  return (await total(source)) - before
}

async function archiveInto(archiver: string, { folder, config, signal }: ArchiveOptions): Promise<number | undefined> {
  const args = ['archive', '--only', archiver]
  console.log(`$ ./archiver ${args.join(' ')}`)
  return run([...args, '--config', config], { folder, signal, show: true })
}

interface RunOptions {
  readonly folder: DataFolder
  readonly signal: AbortSignal
  readonly show?: boolean
}

/** On a terminal the archiver draws its own progress there. @returns its peak memory in bytes. */
async function run(args: readonly string[], { folder, signal, show = false }: RunOptions): Promise<number | undefined> {
  const showErrors = show && process.stderr.isTTY
  const { exitCode, stderr, peakBytes } = await launch({ args, cwd: folder.path, signal, showErrors })
  if (exitCode !== 0) throw new Error(`./archiver ${args.join(' ')} ended with ${exitCode}\n${stderr}`)
  return peakBytes
}

async function total(source: DemoSource): Promise<number> {
  return (await storedBatches(source)).reduce((sum, { rows }) => sum + rows, 0)
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.reduce((bytes, { parentPath, name }) => bytes + statSync(join(parentPath, name)).size, 0)
}
