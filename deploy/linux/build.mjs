// Builds one self-contained executable for Linux (Node's single executable applications): the program, its libraries and
// Node itself. What `make linux` runs; needs `npm run setup` before.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { inject } from 'postject'
import { rolldown } from 'rolldown'
import { fetchPart } from './fetch-part.mjs'
import { nativePlugin, yamlPlugin } from './native-plugin.mjs'

const root = resolve(import.meta.dirname, '../..')
const parts = JSON.parse(readFileSync(join(import.meta.dirname, 'parts.json'), 'utf8'))
/** As Node looks for it. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
/** Docker's names of the architectures too. */
const archs = { x64: 'x64', amd64: 'x64', arm64: 'arm64' }

/** As the launcher ./archiver starts Node; see there. */
const execArgv = ['--max-semi-space-size=4']

async function main() {
  const { arch, out, version } = options()
  const work = mkdtempSync(join(tmpdir(), 'archiver-linux-'))
  try {
    await bundle(join(work, 'archiver.cjs'), version)
    mkdirSync(dirname(out), { recursive: true })
    await executable(work, parts[arch], out)
    const bytes = readFileSync(out)
    const sum = createHash('sha256').update(bytes).digest('hex')
    console.log(`${out}: ${version} for linux-${arch}, ${(bytes.length / 1e6).toFixed(0)} MB, sha256 ${sum}`)
  } finally {
    rmSync(work, { recursive: true })
  }
}

function options() {
  const text = { type: 'string' }
  const { values } = parseArgs({ options: { arch: text, out: text, version: text } })
  const arch = archs[values.arch ?? process.arch]
  if (arch === undefined) throw new Error(`--arch takes ${Object.keys(archs).join(', ')}; not ${values.arch}`)
  const out = resolve(values.out ?? join(root, 'dist-linux', `archiver-linux-${arch}`))
  return { arch, out, version: values.version || describe() }
}

/** What git calls this state; the package's version where there is no git. */
function describe() {
  const { version } = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8'))
  try {
    const text = execFileSync('git', ['describe', '--tags', '--always', '--dirty'], { cwd: root, stdio: 'pipe' })
    const described = text.toString().trim()
    return /^v\d/.test(described) ? described.slice(1) : `${version}-g${described}`
  } catch {
    return version
  }
}

/** The whole program as one script; what a command needs is still run only when the command asks for it. */
async function bundle(file, version) {
  const built = await rolldown({
    input: join(root, 'apps/cli/bundle/main.js'),
    platform: 'node',
    plugins: [nativePlugin(), yamlPlugin()],
    transform: { define: { ARCHIVER_BUILD: JSON.stringify(version) } },
    onLog: (level, log) => {
      // yargs asks for its own place where there is one; a single file has none.
      if (level === 'warn' && log.code !== 'EMPTY_IMPORT_META') console.warn(log.message)
    },
  })
  await built.write({ file, format: 'cjs', minify: { mangle: false }, codeSplitting: false })
  await built.close()
}

/** postject warns of sections whose names it cannot look up, which it does not touch; anything else is printed. */
async function withoutNotes(work) {
  const { warn, error, log } = console
  const filtered =
    (print) =>
    (...words) => {
      if (!/Can't find string offset for section name '\.note/.test(String(words[0]))) print(...words)
    }
  Object.assign(console, { warn: filtered(warn), error: filtered(error), log: filtered(log) })
  try {
    await work()
  } finally {
    Object.assign(console, { warn, error, log })
  }
}

/** Node, with the script and its assets inside. */
async function executable(work, { node, snappy }, out) {
  copyFileSync(fetchPart(snappy), join(work, 'snappy.node'))
  const config = {
    main: 'archiver.cjs',
    output: 'archiver.blob',
    disableExperimentalSEAWarning: true,
    execArgv,
    execArgvExtension: 'env',
    assets: { 'snappy.node': 'snappy.node' },
  }
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config))
  execFileSync(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: work, stdio: 'pipe' })
  const file = `${out}.new`
  copyFileSync(fetchPart(node), file)
  chmodSync(file, 0o755)
  await withoutNotes(() =>
    inject(file, 'NODE_SEA_BLOB', readFileSync(join(work, 'archiver.blob')), { sentinelFuse: fuse }),
  )
  renameSync(file, out)
}

await main()
