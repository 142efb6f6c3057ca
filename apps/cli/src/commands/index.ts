import type { Argv } from 'yargs'
import { archiveCommand } from './archive.js'
import { configCommand } from './config.js'
import { healthCommand } from './health.js'
import { initCommand } from './init.js'
import { markCommand } from './mark.js'
import { readCommand } from './read.js'
import { restoreCommand } from './restore.js'
import { runCommand } from './run.js'
import { serveCommand } from './serve.js'
import { skipCommand } from './skip.js'
import { statusCommand } from './status.js'
import { verifyCommand } from './verify.js'

/** Adds all commands, in the order of `--help`. What one needs to run is imported when it runs. */
export function addCommands(yargs: Argv): Argv {
  return yargs
    .command(initCommand)
    .command(archiveCommand)
    .command(runCommand)
    .command(statusCommand)
    .command(verifyCommand)
    .command(restoreCommand)
    .command(readCommand)
    .command(serveCommand)
    .command(markCommand)
    .command(skipCommand)
    .command(configCommand)
    .command(healthCommand)
}
