import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect, type FakeAddress } from './connect.js'
import type { FakeBigQuery, FakeBigQueryOptions } from './contract.js'

/** Starts the fake in a process of its own, which ends with this one at the latest. */
export async function spawnFakeBigQuery(options: FakeBigQueryOptions = {}): Promise<FakeBigQuery> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const child = spawn(process.execPath, [main, '--until-stdin-ends', '--options', JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const line = once(createInterface(child.stdout), 'line')
  const [first] = await Promise.race([
    line,
    gone.then(() => Promise.reject(new Error('The fake of BigQuery did not start'))),
  ])
  const address = JSON.parse(first) as FakeAddress // what main.ts prints
  return connect(address, async () => {
    child.stdin.end()
    await gone
  })
}
