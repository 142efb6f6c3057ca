import type { CommandModule } from 'yargs'

interface ArchiveArguments {
  readonly config: string | undefined
  readonly table: string | undefined
  readonly only: readonly string[]
  readonly 'dry-run': boolean
  readonly 'log-format': 'auto' | 'json' | 'pretty' | undefined
}

/** `archiver archive`: one pass over every archiver that is turned on. */
export const archiveCommand: CommandModule<object, ArchiveArguments> = {
  command: 'archive',
  describe: 'Copy the waiting rows into every archive that is turned on, once each',
  builder: (yargs) =>
    yargs
      .option('table', { alias: 't', type: 'string', requiresArg: true, describe: 'Source table [app_default_table]' })
      .option('only', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [],
        describe: 'Only this archiver; may be repeated',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Say what would be stored; touch nothing' })
      .option('config', {
        type: 'string',
        requiresArg: true,
        describe: 'Env file to read; the environment wins over it',
      })
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

async function run({ config: configFile, table, only, 'dry-run': preview, 'log-format': format }: ArchiveArguments) {
  const [{ loadSettings }, { checkOnly, chooseTarget }] = await Promise.all([
    import('../config/index.js'),
    import('../archivers.js'),
  ])
  const settings = loadSettings({ env: process.env, cwd: process.cwd(), configFile })
  checkOnly(only)
  const job = { settings, only, ...chooseTarget(settings, table) }
  if (preview) return (await import('../archive-preview.js')).previewArchive(job)
  const [{ createReporter }, { archive }] = await Promise.all([
    import('../report/create-reporter.js'),
    import('../archive-pass.js'),
  ])
  const reporter = await createReporter({ ...settings.logging, format: format ?? settings.logging.format })
  for (const warning of settings.warnings) reporter.warn(warning)
  return archive(job, reporter)
}
