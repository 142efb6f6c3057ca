import type { CommandModule } from 'yargs'
import type { Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface RunArguments extends CommonArguments {
  readonly 'log-format': 'auto' | 'json' | 'pretty' | undefined
}

/** `archiver run`: the service. */
export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run',
  describe: 'Archive for as long as it runs: each archiver on its own schedule, with a standby, health and metrics',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('log-format', {
        choices: ['auto', 'json', 'pretty'] as const,
        describe: 'auto: pretty on a terminal, else json [log_format]',
      })
      .example('$0 run', 'polls every run_interval; answers on http_listen')
      .epilogue(
        'SIGTERM and SIGINT end it after the batch in hand, SIGHUP reads the settings anew. ' +
          'Exit: 0 stopped, 2 usage or settings; it does not end for anything that MySQL or an archive does. ' +
          'Where /vault/secrets is there it waits for settings that are missing or wrong, and says so in /readyz. ' +
          "Called as archive-continuously it takes the place of the Go program's loop: the files in /vault/secrets win over " +
          'the environment, and are shell syntax.',
      ),
  handler: async (args) => {
    process.exitCode = await run(args)
  },
}

async function run({ 'log-format': format, ...common }: RunArguments): Promise<number> {
  const wiring = await loadWiring(common).catch((error: unknown) => settingsLater(error, common, format))
  if (wiring === undefined) return ExitCode.ok
  const [{ createLogReporter }, { runService }] = await Promise.all([
    import('../report/create-reporter.js'),
    import('../jobs/run-service.js'),
  ])
  const { logging, warnings } = wiring.settings
  const reporter = await createLogReporter({ ...logging, format: format ?? logging.format })
  for (const warning of warnings) reporter.warn(warning)
  return runService({ ...wiring, reload: () => loadWiring(common), config: common.config }, reporter)
}

/** Where settings come as files they may come later: see there. @returns undefined for a stop meanwhile. */
async function settingsLater(
  error: unknown,
  common: CommonArguments,
  format: RunArguments['log-format'],
): Promise<Wiring | undefined> {
  const { awaitSettings, mayArrive } = await import('../jobs/await-settings.js')
  if (!mayArrive(error)) throw error
  const [{ listenOf, processSource }, { createLogReporter }] = await Promise.all([
    import('../config/index.js'),
    import('../report/create-reporter.js'),
  ])
  const reporter = await createLogReporter({ level: 'info', format: format ?? 'auto' })
  const listen = listenOf(processSource(common.config))
  return awaitSettings(() => loadWiring(common), error, listen, reporter)
}
