import { parseArgs } from 'node:util'
import type { FakeBigQueryOptions } from './contract.js'
import { startFakeBigQuery } from './start.js'

/**
 * `node main.js [--options JSON] [--until-stdin-ends]`: the fake as a process of its own. Prints one line of JSON (url,
 * projectId, pid) when it listens; ends on SIGTERM, SIGINT or, if asked to, with its standard input.
 */
const { values } = parseArgs({
  options: { options: { type: 'string', default: '{}' }, 'until-stdin-ends': { type: 'boolean', default: false } },
})
const fake = await startFakeBigQuery(JSON.parse(values.options) as FakeBigQueryOptions) // spawn.ts gives them
console.log(JSON.stringify({ url: fake.url, projectId: fake.projectId, pid: fake.pid }))

async function end(): Promise<void> {
  await fake.close()
  process.exit()
}
process.once('SIGTERM', end)
process.once('SIGINT', end)
if (values['until-stdin-ends']) process.stdin.on('end', end).resume()
