import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allPages, root, shellCommands } from './markdown.js'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const help = new Map<string, string>()

/** What the built program says of a command; of itself for ''. */
function helpOf(command: string): string {
  const known = help.get(command)
  if (known !== undefined) return known
  const args = [...(command === '' ? [] : [command]), '--help']
  const text = execFileSync(join(root, 'archiver'), args, { encoding: 'utf8', env: { ...process.env, COLUMNS: '200' } })
  help.set(command, text)
  return text
}

/** What is wrong with a call of the program, by its own help. */
function problemsOfCall([, ...words]: readonly string[]): string[] {
  const [command = ''] = words
  if (command.startsWith('-')) return unknownFlags(words, helpOf(''))
  if (!new RegExp(`^ +archiver ${command}\\b`, 'm').test(helpOf(''))) return [`there is no command ${command}`]
  return unknownFlags(words, helpOf(command))
}

function unknownFlags(words: readonly string[], text: string): string[] {
  const flags = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0]!)
  return flags
    .filter((flag) => !new RegExp(`(^|[\\s,])${flag}(?![\\w-])`, 'm').test(text))
    .map((flag) => `${flag} is not known`)
}

/** Programs of others: what can be checked of their calls is that the files they name are there. */
const others = [
  'docker',
  'helm',
  'kubectl',
  'install',
  'systemctl',
  'npm',
  'make',
  'cd',
  'node',
  'npx',
  'pip',
  'clickhouse-client',
  'curl',
  'promtool',
  'bq',
  'vitest',
]

/** `pnpm run bench` beside the page, or `pnpm --filter @archiver/cli run docs`. */
function problemsOfPnpm(words: readonly string[], page: string): string[] {
  const [, , filter = ''] = words[1] === '--filter' ? words : []
  const folders = filter === '' ? [dirname(page)] : ['apps', 'packages', '.'].map((parent) => folderOf(parent, filter))
  const file = folders.map((folder) => join(root, folder, 'package.json')).find((path) => existsSync(path))
  if (file === undefined) return [`no package ${filter}`]
  const { scripts = {} } = JSON.parse(readFileSync(file, 'utf8')) as { scripts?: Record<string, string> }
  const script = words[words.indexOf('run') + 1] ?? ''
  return script in scripts ? [] : [`no script ${script}`]
}

function folderOf(parent: string, name: string): string {
  return join(parent, name.replace('@archiver/', ''))
}

/** What is wrong with a line of a shell block. */
function problems(line: string, page = 'README.md'): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? []
  while (words.length > 0 && /^(sudo|export|[A-Za-z_]+=.*)$/.test(words[0]!)) words.shift()
  const [program] = words
  if (program === undefined) return []
  if (/^(\.\/)?archiver$/.test(program)) return problemsOfCall(words)
  if (program === 'npm' && words[1] === 'run') return words[2]! in manifest.scripts ? [] : [`no script ${words[2]}`]
  if (program === 'pnpm') return problemsOfPnpm(words, page)
  if (program === 'make')
    return new RegExp(`^${words[1]}:`, 'm').test(readFileSync(join(root, 'Makefile'), 'utf8'))
      ? []
      : [`no target ${words[1]}`]
  if (program.startsWith('scripts/')) return existsSync(join(root, program)) ? [] : [`${program} is not there`]
  if (!others.includes(program)) return [`${program}: is it a program?`]
  const files = words.filter((word) => /^(deploy|docs|packages|scripts)\//.test(word))
  return files.filter((file) => !existsSync(join(root, file))).map((file) => `${file} is not there`)
}

const commands = allPages().flatMap(({ path, text }) => shellCommands(text).map((line) => ({ path, line })))

test('there are commands to look at', () => {
  expect(commands.filter(({ line }) => /archiver /.test(line)).length).toBeGreaterThan(50)
})

describe.each([...Map.groupBy(commands, ({ path }) => path)].map(([path, lines]) => ({ path, lines })))(
  '$path',
  ({ lines }) => {
    test('every command is one that the programs know', () => {
      expect(lines.flatMap(({ line, path }) => problems(line, path).map((problem) => `${line}: ${problem}`))).toEqual(
        [],
      )
    })
  },
)

test.each([
  ['archiver archve', 'there is no command archve'],
  ['archiver archive --dry', '--dry is not known'],
  ['archiver verify -x', '-x is not known'],
  ['npm run nothing', 'no script nothing'],
  ['make it', 'no target it'],
  ['kubectl apply -k deploy/none', 'deploy/none is not there'],
  ['arhciver archive', 'arhciver: is it a program?'],
])('%s is found to be wrong', (line, problem) => {
  expect(problems(line)).toEqual([problem])
})
