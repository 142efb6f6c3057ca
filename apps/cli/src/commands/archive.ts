import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface ArchiveArguments extends CommonArguments {
  readonly only: readonly string[]
  readonly 'dry-run': boolean
  readonly 'log-format': 'auto' | 'json' | 'pretty' | undefined
}

/** `archiver archive`: one pass over every archiver that is turned on. */
export const archiveCommand: CommandModule<object, ArchiveArguments> = {
  command: 'archive',
  describe: 'Copy the waiting rows into every archive that is turned on, once each',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('only', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [],
        describe: 'Only this archiver; may be repeated',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Say what would be stored; touch nothing' })
      .option('log-format', {
        choices: ['auto', 'json', 'pretty'] as const,
        describe: 'auto: a progress bar on a terminal, else json [log_format]',
      })
      .example('$0 archive', 'one pass over app_default_table')
      .example('$0 archive --only clickhouse --dry-run', 'what would go into ClickHouse')
      .epilogue('Exit: 0 done or nothing to do, 1 an archiver failed, 2 usage or settings, 3 the lock is held.'),
  handler: async (args) => {
    process.exitCode = await run(args)
  },
}

async function run({ only, 'dry-run': preview, 'log-format': format, ...common }: ArchiveArguments): Promise<number> {
  const wiring = await loadWiring(common)
  const { checkOnly } = await import('../archivers.js')
  checkOnly(only)
  const job = { ...wiring, only }
  if (preview) return (await import('../jobs/preview.js')).previewArchive(job)
  const [{ createReporter }, { archive }] = await Promise.all([
    import('../report/create-reporter.js'),
    import('../jobs/archive.js'),
  ])
  const { logging, warnings } = wiring.settings
  const reporter = await createReporter({ ...logging, format: format ?? logging.format })
  for (const warning of warnings) reporter.warn(warning)
  return archive(job, reporter)
}
