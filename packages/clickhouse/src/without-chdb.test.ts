import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('names the package to install where chdb is missing, and needs it for nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'archiver-without-chdb-'))
  const scope = join(folder, 'node_modules/@archiver')
  await mkdir(join(folder, 'node_modules/@clickhouse'), { recursive: true })
  for (const part of ['dist', 'package.json']) await cp(part, join(scope, 'clickhouse', part), { recursive: true })
  for (const name of ['@archiver/core', '@clickhouse/client']) {
    await symlink(await realpath(`node_modules/${name}`), join(folder, 'node_modules', name))
  }
  await writeFile(join(folder, 'program.mjs'), program)
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'program.mjs')])
  await rm(folder, { recursive: true })
  expect(JSON.parse(stdout)).toEqual({ code: 'CHDB_MISSING', hint: expect.stringContaining('npm install chdb') })
})

const program = `
import { createClickHouseArchiver } from '@archiver/clickhouse'
await using archiver = createClickHouseArchiver({ dsn: 'chdb:///tmp/never' })
await archiver.prepare('t').catch(({ code, hint }) => console.log(JSON.stringify({ code, hint })))
`
