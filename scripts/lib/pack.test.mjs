import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectNode, root, run } from './steps.mjs'
import { workspacePackages } from './workspace.mjs'

const packages = (await workspacePackages()).filter(({ manifest }) => !manifest.private)
const folder = mkdtempSync(join(tmpdir(), 'packed-'))
const consumer = join(folder, 'consumer')

beforeAll(async () => {
  for (const { folder: cwd } of packages) await mustRun('pnpm', ['pack', '--pack-destination', folder], cwd)
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{"private": true}')
  const tarballs = readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(folder, name))
  await mustRun('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs], consumer)
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true }))

async function mustRun(command, args, cwd) {
  const { code, output, stdout } = await run(command, args, { cwd })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} in ${cwd}:\n${output}`)
  return stdout
}

describe.each(packages)('$name, packed and installed by npm', ({ name, manifest }) => {
  const entries = Object.keys(manifest.exports ?? {}).filter(
    (entry) => !entry.includes('*') && !entry.endsWith('.json'),
  )

  test.each(Object.keys(manifest.bin ?? {}))('%s runs', async (program) => {
    expect(await mustRun(join(consumer, 'node_modules/.bin', program), ['--help'], consumer)).toContain(program)
  })

  test.each(entries)('%s is imported by a plain Node', async (entry) => {
    const code = `console.log(Object.keys(await import('${join(name, entry)}')).length)`
    expect(Number(await mustRun(projectNode, ['--input-type=module', '--eval', code], consumer))).toBeGreaterThan(0)
  })

  test('holds no tests and no build leftovers', () => {
    const files = readdirSync(join(consumer, 'node_modules', name), { recursive: true }).map(String)
    expect(files.filter((file) => /\.test\.|tsbuildinfo|^src/.test(file))).toEqual([])
    expect(files).toContain('README.md')
  })
})

test('the example of the README stores rows and reads them back, where nothing but the packages is', async () => {
  const [, example] = readFileSync(join(root, 'README.md'), 'utf8').match(/```ts\n([\s\S]*?)```/)
  writeFileSync(join(consumer, 'example.mts'), example)
  const output = await mustRun(projectNode, ['example.mts'], consumer)
  expect(output).toMatch(/^1792454400-1000001\.avro: 1000 rows in \d+ bytes$/m)
  expect(output).toContain('id: 1000001n')
})

test('the program that npm installs reads its settings and says what is missing', async () => {
  const { code, output } = await run(join(consumer, 'node_modules/.bin/archiver'), ['archive'], { cwd: consumer })
  expect(output).toContain('db_host: is required')
  expect(code).toBe(2)
})
