import type { Argv } from 'yargs'
import { archiveCommand } from './archive.js'
import { configCommand } from './config.js'
import { initCommand } from './init.js'
import { markCommand } from './mark.js'
import { restoreCommand } from './restore.js'
import { skipCommand } from './skip.js'
import { verifyCommand } from './verify.js'

/** Adds all commands, in the order of `--help`. What one needs to run is imported when it runs. */
export function addCommands(yargs: Argv): Argv {
  return yargs
    .command(initCommand)
    .command(archiveCommand)
    .command(verifyCommand)
    .command(restoreCommand)
    .command(markCommand)
    .command(skipCommand)
    .command(configCommand)
}
