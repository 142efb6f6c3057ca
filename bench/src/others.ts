import { join } from 'node:path'
import type { Bed } from './bed.js'
import { type Measured, measure, type Program } from './measure.js'
import { betweenDrains, ownProgram, type Run } from './runs.js'
import { ratioToNeighbours, rowRate } from './statistics.js'
import { count } from './text.js'

/** What a user would take otherwise; `why` says why a tool could not be run. */
export type OtherResult = { readonly name: string } & ((Run & { readonly ratio: number }) | { readonly why: string })

interface Other {
  readonly name: string
  /** Fewer rows, for a slow tool. */
  readonly maxRows?: number
  readonly program: (bed: Bed, rows: number) => Program
}

const columns = 'id, monitor_id, server_id, ts, score, step, `offset`, rtt, attributes'

const others: readonly Other[] = [
  { name: 'mysql client, --quick, text file', program: mysqlClient },
  { name: 'pt-archiver --no-delete --file', maxRows: 400_000, program: ptArchiver },
  { name: 'chDB mysql() → MergeTree', program: chdbToMergeTree },
  { name: 'chDB mysql() → Avro file', program: chdbToAvro },
]

/** Each of them once, over the same rows, between two drains. */
export async function runOthers(bed: Bed, say: (text: string) => void): Promise<OtherResult[]> {
  const results: OtherResult[] = []
  for (const other of others) {
    say(`  ${other.name}`)
    results.push(await runOther(bed, other))
  }
  return results
}

async function runOther(bed: Bed, { name, maxRows = bed.rows, program }: Other): Promise<OtherResult> {
  const rows = Math.min(bed.rows, maxRows)
  const { measured, before, after } = await betweenDrains(bed, () => measure(program(bed, rows)).catch(notHere))
  if (typeof measured === 'string') return { name, why: measured }
  if (measured.exitCode !== 0) return { name, why: failure(measured) }
  const { wallMs, peakBytes } = measured
  const rate = rowRate(rows, wallMs)
  const shortened = rows < bed.rows ? `${name}, ${count(rows)} rows` : name
  return { name: shortened, rows, rate, wallMs, peakBytes, ratio: ratioToNeighbours(rate, before.rate, after.rate) }
}

function notHere(thrown: unknown): string {
  if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 'not on this machine'
  throw thrown
}

function failure({ exitCode, stderr }: Measured): string {
  const line = stderr.split('\n').find((text) => text.trim() !== '') ?? ''
  return `ended with ${exitCode}: ${line.slice(0, 120)}`
}

function mysqlClient({ mysql, database, folder }: Bed): Program {
  const server = ['--no-defaults', '--host=127.0.0.1', `--port=${mysql.port}`, '--user=root']
  const statement = `select ${columns} from log_scores`
  const args = [...server, '--quick', '--batch', `--execute=${statement}`, database.name]
  return { command: 'mysql', args, outputFile: join(folder, 'rows.tsv') }
}

function ptArchiver({ mysql, database, folder }: Bed, rows: number): Program {
  const source = `h=127.0.0.1,P=${mysql.port},u=root,D=${database.name},t=log_scores`
  const pages = ['--limit=10000', '--commit-each', '--no-check-charset', '--no-version-check']
  const what = ['--no-delete', `--file=${join(folder, 'rows.txt')}`, `--where=id <= ${rows}`]
  return { command: 'pt-archiver', args: [`--source=${source}`, ...what, ...pages] }
}

function chdbToMergeTree(bed: Bed): Program {
  const layout = 'engine = MergeTree partition by dt order by (server_id, ts)'
  return chdb(bed, `create table log_scores ${layout} as select toDate(ts) as dt, * from ${mysqlFunction(bed)}`)
}

function chdbToAvro(bed: Bed): Program {
  const file = join(bed.folder, 'rows.avro')
  return chdb(bed, `insert into function file('${file}', 'Avro') select * from ${mysqlFunction(bed)}`)
}

/** Null where a sorting key or Avro takes none. */
function mysqlFunction({ mysql, database }: Bed): string {
  return `mysql('127.0.0.1:${mysql.port}', '${database.name}', 'log_scores', 'root', '')`
}

function chdb({ folder }: Bed, statement: string): Program {
  return ownProgram('chdb-statement.js', [join(folder, `chdb-${statement.slice(0, 6)}`), statement])
}
