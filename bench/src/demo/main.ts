import { existsSync } from 'node:fs'
import type { MySqlServer } from '@archiver/testkit'
import { archiveAgain, archiveAll } from './archives.js'
import { DataFolder } from './data-folder.js'
import { step } from './progress.js'
import { ask, questions } from './questions.js'
import { writeSettings } from './settings.js'
import { type DemoSource, fillSource, keepMeasuring, startServer } from './source.js'

/** What scripts/demo.mjs read from the command line. */
interface Options {
  readonly rows: number
  readonly stay?: boolean
  readonly query?: string
  readonly folder: string
}

const { rows, stay, query, folder: path } = JSON.parse(process.argv[2]!) as Options // scripts/demo.mjs has checked them
const folder = new DataFolder(path)
let server: MySqlServer | undefined
let progress: 'nothing' | 'begun' | 'whole' = 'nothing'

const stopping = new AbortController()
const stopped = new Promise<never>((_, reject) => {
  stopping.signal.addEventListener('abort', () => reject(new Error('stopped')))
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())

process.exit(await main())

/** @returns the exit code: 130 when it was stopped. */
async function main(): Promise<number> {
  try {
    await Promise.race([query === undefined ? demo() : answer(query), stopped])
    return 0
  } catch (error) {
    if (!stopping.signal.aborted) console.error(`\ndemo: ${error instanceof Error ? error.message : error}`)
    return stopping.signal.aborted ? 130 : 1
  } finally {
    await cleanUp()
  }
}

async function demo(): Promise<void> {
  folder.claim()
  progress = 'begun'
  server = await startServer()
  const source = await fillSource(server, rows)
  await archiveAndAsk(source)
  progress = 'whole'
  console.log(`\n${stay ? whileStaying() : whatNext()}`)
  if (stay) await keepMeasuring(source, stopping.signal)
}

async function cleanUp(): Promise<void> {
  await server?.stop()
  if (progress === 'whole') folder.release()
  if (progress === 'begun') folder.discard()
  if (stopping.signal.aborted) console.log('\nStopped; nothing is left running.')
}

async function archiveAndAsk(source: DemoSource): Promise<void> {
  const options = { folder, source, config: writeSettings(folder, source), signal: stopping.signal }
  console.log(`\n${await archiveAll(options)}`)
  console.log('\nA second pass, for both archives, has nothing to do:')
  await step(
    '$ ./archiver archive',
    () => archiveAgain(options),
    (again) => `${again} rows stored`,
  )
  const answers = await ask(folder.file('clickhouse'), questions)
  for (const [i, { title, sql }] of questions.entries()) console.log(`\n${title}\n\n${sql}\n\n${answers[i]}`)
}

function whatNext(): string {
  const at = path === 'demo-data' ? '' : ` --folder ${shellWord(path)}`
  const where = shellWord(folder.shortPath)
  return `The archives stay in ${folder.shortPath}; MariaDB is gone. To remove them: rm -r ${where}

Try next:
  npm run demo --${at} --query "select error, count() from log_scores group by error order by 2 desc"
  npm run demo --${at} --rows 5000000
  npm run demo --${at} --stay        MariaDB stays and gets new rows, to try ./archiver yourself`
}

function whileStaying(): string {
  const config = `--config ${shellWord(`${folder.shortPath}/demo.env`)}`
  return `MariaDB stays until Ctrl-C, and gets new rows every second. In another terminal try:
  ./archiver archive --dry-run ${config}
  ./archiver archive ${config}
  ./archiver config ${config}`
}

/** As it is to be typed. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Asks the ClickHouse that an earlier run left. */
async function answer(sql: string): Promise<void> {
  const clickHouse = folder.file('clickhouse')
  if (!existsSync(clickHouse)) throw new Error(`there is nothing in ${folder.path} yet; first: npm run demo`)
  console.log((await ask(clickHouse, [{ sql }]))[0])
}
