import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bed, reset } from './bed.js'
import { launch, sourceVariables, type Variables } from './launcher.js'
import type { Quiet } from './quiet.js'
import { avroVariables, highestPeak, mustBeOk } from './runs.js'
import { median } from './statistics.js'

/** `./archiver archive` when every mark is at the newest row. */
export interface Idle {
  readonly name: string
  /** Median, of the whole process. */
  readonly wallMs: number
  readonly wallsMs: readonly number[]
  readonly peakBytes: number | undefined
  /** The npm packages, and those of this repository, of which modules were loaded, and how many. */
  readonly loaded: Readonly<Record<string, number>>
}

/** Of all that a pass may need, the adapters and the client libraries behind them: each only where it is turned on. */
export const adaptersAndClients = [
  '@archiver/avro',
  '@archiver/file-avro',
  '@archiver/gcs-avro',
  '@archiver/clickhouse',
  '@archiver/bigquery',
  '@archiver/cleanup',
  '@clickhouse/client',
  '@google-cloud/storage',
  '@google-cloud/bigquery',
  'google-auth-library',
  'chdb',
  'snappy',
  'pino-pretty',
]

/** How often each is run; the first run of all fills caches and does not count. */
const TIMES = 10

/** With one archive configured, and with two. */
export async function idle(bed: Bed, quiet: Quiet): Promise<Idle[]> {
  await quiet.wait()
  const avro = avroVariables(bed)
  const results = [await idleWith(bed, 'Avro', ['fileavro'], avro)]
  if (typeof bed.clickHouse !== 'string') {
    const both = { ...avro, ch_dsn: `${bed.clickHouse.url}/default` }
    results.push(await idleWith(bed, 'Avro and ClickHouse server', ['fileavro', 'clickhouse'], both))
  }
  return results
}

async function idleWith(bed: Bed, name: string, archivers: readonly string[], variables: Variables): Promise<Idle> {
  await reset(bed, archivers)
  await bed.connection.query('update log_scores_archive_status set log_score_id = (select max(id) from log_scores)')
  await nothingToDo(bed, variables)
  const runs = []
  for (let i = 0; i < TIMES; i++) runs.push(await nothingToDo(bed, variables))
  const wallsMs = runs.map(({ wallMs }) => wallMs)
  return {
    name,
    wallMs: median(wallsMs),
    wallsMs,
    peakBytes: highestPeak(runs),
    loaded: await loadedBy(bed, variables),
  }
}

async function nothingToDo(bed: Bed, variables: Variables) {
  const measured = await launch({
    args: ['archive', '--log-format', 'json'],
    variables: { ...sourceVariables(bed.database.address), ...variables },
    cwd: bed.folder,
  })
  mustBeOk('archiver archive with nothing to do', measured)
  return measured
}

async function loadedBy(bed: Bed, variables: Variables): Promise<Record<string, number>> {
  const file = join(bed.folder, 'loaded.json')
  const preload = `--import=${new URL('../dist/report-loaded.js', import.meta.url)}`
  await nothingToDo(bed, { ...variables, NODE_OPTIONS: preload, ARCHIVER_BENCH_LOADED: file })
  const urls = JSON.parse(readFileSync(file, 'utf8')) as string[] // what report-loaded.ts writes
  const paths = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
  const modules: Record<string, number> = {}
  for (const name of [...new Set(paths.flatMap(sourcesOf))].map(packageOf)) {
    if (name !== undefined) modules[name] = (modules[name] ?? 0) + 1
  }
  return modules
}

/** What a bundled file was made from, by its source map; a file without one is its own source. */
function sourcesOf(path: string): string[] {
  try {
    const map = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as { sources: string[] } // the form of a source map
    return map.sources
  } catch {
    return [path]
  }
}

/** The package that a file belongs to: `mysql2`, `@archiver/avro`; none for the program's own. */
export function packageOf(path: string): string | undefined {
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
  if (installed !== undefined) return installed
  const own = /\/packages\/([^/]+)\//.exec(path)?.[1]
  return own && `@archiver/${own}`
}
