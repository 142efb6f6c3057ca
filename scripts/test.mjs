import { auditVerdict } from './lib/audit.mjs'
import { installAndBuild } from './lib/install-and-build.mjs'
import { LogTails } from './lib/log-tails.mjs'
import { commandStep, root, run, step, toolEnv } from './lib/steps.mjs'
import { temporaryFolder } from './lib/temporary-folder.mjs'
import { endingLines, removeReport, reporterArgs, suiteTotals, summaryLine } from './lib/test-totals.mjs'
import { workspacePackages } from './lib/workspace.mjs'

const failedStep = { passed: 0, failed: 1, skipped: 0 }

/** Everything that is not a test but must hold too. @returns how many failed */
async function checks() {
  const outcomes = [
    await commandStep('Checking style with biome', 'biome', ['check', '--error-on-warnings', '.']),
    await commandStep('Checking types, tests included', 'turbo', [
      'typecheck',
      '--output-logs=errors-only',
      '--continue',
    ]),
    await commandStep('Looking for code and packages that nothing uses', 'knip', []),
    await step('Asking for known vulnerabilities', async () =>
      auditVerdict(await run('pnpm', ['audit', '--audit-level=high', '--json'])),
    ),
  ]
  return outcomes.filter((ok) => !ok).length
}

/** The suite of every package, and that of these scripts. What failed among the many lines is said again at the end. */
async function tests() {
  const packages = (await workspacePackages()).filter(({ manifest }) => manifest.scripts?.test)
  const suites = [...packages, { name: 'scripts', folder: `${root}/scripts` }]
  for (const { folder } of suites) removeReport(folder)
  const ofPackages = ['test', '--continue', '--concurrency=2', '--ui=stream', '--', ...reporterArgs]
  const tails = new LogTails()
  const temporary = temporaryFolder()
  const env = { ...toolEnv, TMPDIR: temporary.path }
  const codes = [
    (await run('turbo', ofPackages, { heard: (text) => tails.add(text), env })).code,
    (await run('vitest', ['run', ...reporterArgs], { show: true, cwd: `${root}/scripts`, env })).code,
  ]
  temporary.remove()
  for (const { name, tail } of tails.failures()) console.log(`\nThe end of what ${name} said:\n${tail}`)
  const totals = suites.map(({ name, folder }) => ({ name, ...suiteTotals(folder) }))
  if (codes.some((code) => code !== 0) && totals.every(({ failed }) => failed === 0)) {
    totals.push({ name: 'the runner', ...failedStep, problem: `ended with ${codes.join(' and ')}` })
  }
  return totals
}

function printTable(totals) {
  console.log()
  for (const { name, passed, failed, skipped, problem } of totals) {
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`
    console.log(`${name.padEnd(24)} ${counts}${problem ? ` (${problem})` : ''}`)
  }
}

async function main() {
  if (!(await installAndBuild())) return [failedStep]
  const failedChecks = await checks()
  const totals = await tests()
  printTable(totals)
  for (const line of ['', ...endingLines(totals)]) console.log(line)
  if (failedChecks > 0) console.log(`${'checks before the tests'.padEnd(24)} ${failedChecks} failed, see above`)
  return [...totals, { passed: 0, failed: failedChecks, skipped: 0 }]
}

const totals = await main()
process.exitCode = totals.some(({ failed }) => failed > 0) ? 1 : 0
console.log(`\n${summaryLine(totals)}`)
