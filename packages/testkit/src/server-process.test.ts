import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeNeeding, findMySqlPrograms } from './vitest.js'

const program = `
  import { startMariaDb } from '@archiver/testkit'
  const server = await startMariaDb()
  console.log(JSON.stringify({ pid: server.process.pid, socketPath: server.socketPath }))
  if (process.argv[1] === 'stay') setInterval(() => {}, 1000)`

const dying = `
  import { startMariaDb } from '@archiver/testkit'
  const { once } = await import('node:events')
  const server = await startMariaDb()
  if (process.argv[1] === 'stopped') await server.stop()
  else {
    process.kill(server.process.pid, 'SIGABRT')
    while (server.process.pid !== undefined) await new Promise((resolve) => setTimeout(resolve, 10))
    setTimeout(() => {}, 100)
  }`

/** Standard error of a program whose server ends. */
async function saidBy(...args: string[]): Promise<string> {
  const run = promisify(execFile)
  return (await run(process.execPath, ['--input-type=module', '--eval', dying, ...args])).stderr
}

async function startElsewhere(...args: string[]) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  const { pid, socketPath } = JSON.parse(line) as { pid: number; socketPath: string } // what the program prints
  return { child, pid, folder: dirname(socketPath) }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

await describeNeeding('a server', { mysql: findMySqlPrograms }, () => {
  test('ends, and its folder goes, when the process that started it is killed', async () => {
    const { child, pid, folder } = await startElsewhere('stay')
    expect(lives(pid)).toBe(true)
    child.kill('SIGKILL')
    await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false)
    await expect.poll(() => stat(folder).catch(() => 'gone'), { timeout: 10_000 }).toBe('gone')
  })

  test('ends when it is frozen, too', async () => {
    const { child, pid } = await startElsewhere('stay')
    process.kill(pid, 'SIGSTOP')
    child.kill('SIGKILL')
    await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false)
  })

  test('that ended though nobody stopped it is told, with the end of its log', async () => {
    expect(await saidBy()).toMatch(
      /mariadbd.* \(\d+\) ended \(\S+\), and nobody had stopped it\. The end of its log:\n.+/s,
    )
    expect(await saidBy('stopped')).toBe('')
  })

  test('that nobody stops ends with the program, and does not keep it alive', async () => {
    const { child, pid } = await startElsewhere()
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    expect(code).toBe(0)
    await expect.poll(() => lives(pid), { timeout: 10_000 }).toBe(false)
  })
})
