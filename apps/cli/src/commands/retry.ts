import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface RetryArguments extends CommonArguments {
  readonly name: string
}

/** `archiver retry`: ends the wait after a failure. */
export const retryCommand: CommandModule<object, RetryArguments> = {
  command: 'retry <name>',
  describe: 'Have the service on this host try an archiver now that waits after a failure',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .positional('name', { type: 'string', demandOption: true, describe: 'The archiver, such as clickhouse' })
      .example('$0 retry clickhouse', 'after ClickHouse was repaired')
      .epilogue(
        'It sends SIGHUP to the service: other archivers that wait after a failure are tried too, and settings are read again.\n' +
          'Exit: 0 the service was told, or nothing waits; 1 no service that leads on this host; 2 usage or settings.',
      ),
  handler: async ({ name, ...common }) => {
    const wiring = await loadWiring(common)
    const { retryNow } = await import('../jobs/retry-now.js')
    process.exitCode = await retryNow(name, wiring)
  },
}
