import { installAndBuild } from './lib/install-and-build.mjs'

process.exitCode = (await installAndBuild()) ? 0 : 1
