import type { CommandModule } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface ServeArguments extends CommonArguments {
  readonly listen: string
  readonly archive: string | undefined
}

/** `archiver serve`: rows of an archive over HTTP. */
export const serveCommand: CommandModule<object, ServeArguments> = {
  command: 'serve',
  describe: 'Answer GET /api/scores from an archive, until it is stopped',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('listen', {
        type: 'string',
        requiresArg: true,
        default: '127.0.0.1:5080',
        describe: 'Address and port: 127.0.0.1:5080, [::1]:5080, or :5080 for every address',
      })
      .option('archive', {
        type: 'string',
        requiresArg: true,
        describe: 'Archive to read [clickhouse where it is configured, else the first that is]',
      })
      .example('$0 serve', 'http://127.0.0.1:5080/api/scores?server=1234&from=2026-11-01')
      .epilogue(
        'MySQL is not asked. Nothing is changed. See docs/scores-api.md.\nExit: 0 stopped, 1 a failure, 2 usage or settings.',
      ),
  handler: async ({ listen, archive, ...common }) => {
    const address = await checkedListen(listen)
    const wiring = await loadWiring(common, { withoutMySql: true })
    const { serve } = await import('../jobs/serve.js')
    process.exitCode = await serve({ ...wiring, listen: address, archive })
  },
}

/** @throws UsageError */
async function checkedListen(text: string): Promise<string> {
  const { parseListen } = await import('@archiver/web/listen')
  try {
    parseListen(text, '--listen')
    return text
  } catch {
    throw new UsageError(`--listen: ${JSON.stringify(text)} is no address with a port, such as 127.0.0.1:5080`)
  }
}
