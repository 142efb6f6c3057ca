import { installAndBuild } from './lib/install-and-build.mjs'
import { run } from './lib/steps.mjs'

/** The tests against Google's real services; each is skipped where its variables are not set (README). */
const live = ['test:live', '--continue', '--concurrency=1', '--ui=stream']

process.exitCode = (await installAndBuild()) ? (await run('turbo', live, { show: true })).code : 1
