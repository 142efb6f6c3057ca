import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { reportFile } from './test-totals.mjs'

/**
 * A reporter of vitest that writes what `npm test` says at its end: what vitest counts, and what it does not. It calls a
 * test skipped whose file or hook failed before it could run; here that is not run, and the file or the hook has failed.
 * ARCHIVER_TEST_REPORT names another file for it.
 */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export
export default class TotalsReporter {
  #root

  onInit(vitest) {
    this.#root = vitest.config.root
  }

  onTestRunEnd(modules, unhandledErrors) {
    const file = resolve(this.#root, process.env.ARCHIVER_TEST_REPORT || reportFile)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(totalsOf(modules, unhandledErrors)))
  }
}

function totalsOf(modules, unhandledErrors) {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const states = Map.groupBy(tests, stateOf)
  const count = (state) => states.get(state)?.length ?? 0
  const broken = [
    ...modules.flatMap(brokenParts),
    ...unhandledErrors.map((error) => ({ name: 'outside of any test', error: firstLine(error) })),
  ]
  return {
    passed: count('passed'),
    failed: count('failed') + broken.length,
    skipped: count('skipped'),
    notRun: count('not run'),
    broken,
    skips: (states.get('skipped') ?? []).map(skipOf),
  }
}

function stateOf(test) {
  const { state, note } = test.result()
  if (state === 'passed' || state === 'failed') return state
  const isMeant = note !== undefined || test.options.mode === 'skip' || test.options.mode === 'todo'
  return isMeant ? 'skipped' : 'not run'
}

/** A file, or a group in it, that failed outside its tests; and a file that did not come to its end. */
function brokenParts(module) {
  const name = module.relativeModuleId
  const groups = [...module.children.allSuites()].map((suite) => [`${name} > ${suite.fullName}`, suite.errors()])
  const parts = [[name, module.errors()], ...groups].filter(([, errors]) => errors.length > 0)
  const isUnfinished = ['pending', 'queued'].includes(module.state())
  const unfinished = isUnfinished ? [{ name, error: 'did not come to its end' }] : []
  return [...parts.map(([part, errors]) => ({ name: part, error: firstLine(errors[0]) })), ...unfinished]
}

function skipOf(test) {
  const file = test.module.relativeModuleId
  const { missing } = test.meta()
  if (missing) return { name: `${file} > ${test.parent.fullName}`, missing }
  return { name: `${file} > ${test.fullName}`, missing: [{ reason: test.result().note ?? '', hint: '' }] }
}

function firstLine({ message = '' } = {}) {
  return String(message).trim().split('\n')[0]
}
