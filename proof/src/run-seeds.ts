import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readResults, struckText } from './schedule/results.js'

const HELP = `Plays seeded schedules and says which of them failed.

  npm run seeds -- --first 700000 --count 3000

  --first SEED    the first seed (default 1)
  --count NUMBER  how many seeds (default 200)
  --lanes NUMBER  how many are played at once (default 6)
  --results FILE  a line of JSON for each seed (default seeds-FIRST.ndjson). Seeds that are in it are not played again: an
                  interrupted run goes on with the same command.
  --again         play all of them, also those in the file
`

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '6' },
    results: { type: 'string' },
    again: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else process.exitCode = await run()

/** @returns 0 where every schedule was played and none failed. */
async function run(): Promise<number> {
  const { first, count, lanes, results = `seeds-${first}.ndjson` } = values
  if (values.again) rmSync(results, { force: true })
  const started = Date.now()
  const env = {
    ...process.env,
    ...{ PROOF_FIRST: first, PROOF_SCHEDULES: count, PROOF_LANES: lanes, PROOF_RESULTS: results },
  }
  const child = spawn('npx', ['vitest', 'run', 'src/schedules.test.ts', '--reporter=dot'], { env, stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const [low, end] = [Number(first), Number(first) + Number(count)]
  const played = readResults(results).filter(({ seed }) => seed >= low && seed < end)
  const failed = played.filter(({ problems }) => problems.length > 0)
  const minutes = ((Date.now() - started) / 60_000).toFixed(1)
  const passed = played.length - failed.length
  console.log(`\nseeds ${low} to ${end - 1}: ${passed} of ${count} passed, ${failed.length} failed; ${minutes} min`)
  console.log(`struck: ${struckText(played)}`)
  for (const { seed, problems } of failed) {
    console.log(`\n${seed}:\n  ${problems.slice(0, 6).join('\n  ')}`)
    console.log(`  again: PROOF_SEED=${seed} PROOF_LANES=1 npx vitest run src/schedules.test.ts`)
  }
  return code === 0 && failed.length === 0 && played.length === Number(count) ? 0 : 1
}
