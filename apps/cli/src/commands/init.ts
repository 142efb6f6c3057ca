import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface InitArguments extends CommonArguments {
  readonly with: readonly string[]
  readonly 'dry-run': boolean
  readonly yes: boolean
}

/** `archiver init`: creates the tables and turns archivers on. */
export const initCommand: CommandModule<object, InitArguments> = {
  command: 'init',
  describe: 'Create the tables that are missing and turn archivers on; say which grants are needed',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('with', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [],
        describe: 'Turn on this archiver, or cleanup; may be repeated [the archives that are configured]',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Print the statements; run none' })
      .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' })
      .example('$0 init --dry-run', 'what is missing, and the statements that make it')
      .example('$0 init --with clickhouse --with cleanup', '')
      .epilogue(
        'Exit: 0 all is there or was made, 1 something is in the way (a missing grant too), 2 usage or settings, 3 the lock is held.',
      ),
  handler: async ({ with: names, 'dry-run': dryRun, yes, ...common }) => {
    const { checkOnly } = await import('../archivers.js')
    checkOnly(names, '--with')
    const { init } = await import('../jobs/init.js')
    process.exitCode = await init({ ...(await loadWiring(common)), names, dryRun, yes })
  },
}
