import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterAll, describe, expect, test } from 'vitest'
import { measure } from '../measure.js'

const temporary = mkdtempSync(join(tmpdir(), 'archiver-demo-'))
const main = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url))
afterAll(() => rmSync(temporary, { recursive: true }))

const program = (options: object) => ({ command: process.execPath, args: [main, JSON.stringify(options)] })
const demo = (options: object) => measure(program(options))

await describeWithMySql('the demo', () => {
  describe('a run', () => {
    const folder = join(temporary, 'data')

    test('stores all rows in both archives and says where, how fast, and with how much memory', async () => {
      const { exitCode, stdout, stderr } = await demo({ rows: 3000, folder })
      expect(stderr).toBe('')
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^\| Avro files +\| +3,000 \| +[\d,]+ \| +[1-9]\d+ \| .*data\/avro +\|$/m)
      expect(stdout).toMatch(/^\| ClickHouse, embedded \| +3,000 \| +[\d,]+ \| +[1-9]\d+ \| .*data\/clickhouse +\|$/m)
      expect(stdout).toContain('0 rows stored')
      expect(stdout).toContain('| hour ')
      expect(stdout).toMatch(/\| monitor \| measurements \| errors \|/)
      expect(stdout).toContain(`rm -r ${folder}`)
      expect(readdirSync(join(folder, 'avro'))).toEqual([expect.stringMatching(/^\d+-1\.avro$/)])
    })

    test('leaves a ClickHouse that can be asked', async () => {
      const { stdout } = await demo({ folder, query: 'select count() as held from log_scores' })
      expect(stdout).toBe('| held |\n| ---: |\n| 3000 |\n')
      expect(await demo({ folder, query: 'select nonsense' })).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/^\ndemo: ClickHouse: .*nonsense.*\n$/),
      })
    })

    test('again replaces what the one before left', async () => {
      const { exitCode, stdout } = await demo({ rows: 2000, folder })
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^\| ClickHouse, embedded \| +2,000 /m)
    })

    test('does not touch a folder that holds something else', async () => {
      writeFileSync(join(temporary, 'precious'), '')
      const { exitCode, stderr } = await demo({ rows: 1, folder: temporary })
      expect(exitCode).toBe(1)
      expect(stderr).toContain(`${temporary} holds something that is not the demo's; name another --folder`)
      expect(readdirSync(temporary)).toContain('precious')
    })
  })

  test('Ctrl-C ends what was started and removes the unfinished archives', async () => {
    const folder = join(temporary, 'stopped')
    const { command, args } = program({ rows: 50_000_000, folder })
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    for await (const text of child.stdout.setEncoding('utf8')) {
      output += text
      if (output.includes('Generating')) child.kill('SIGINT')
    }
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(130)
    expect(output).toContain('Stopped; nothing is left running.')
    expect(existsSync(folder)).toBe(false)
    expect(await isListening(Number(/127\.0\.0\.1:(\d+)/.exec(output)![1]))).toBe(false)
  })

  test('without an earlier run there is nothing to ask', async () => {
    const { exitCode, stderr } = await demo({ folder: join(temporary, 'none'), query: 'select 1' })
    expect(exitCode).toBe(1)
    expect(stderr).toContain('first: npm run demo')
  })
})

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(
    () => true,
    () => false,
  )
}
