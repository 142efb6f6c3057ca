import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'

interface StatusArguments extends CommonArguments {
  readonly json: boolean
  readonly watch: boolean
}

/** `archiver status`: how it goes, from the running service or from MySQL alone. */
export const statusCommand: CommandModule<object, StatusArguments> = {
  command: 'status',
  describe: 'Show how far each archive is, what is late or fails, and what to do',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'Print one JSON document, as /api/status answers it',
      })
      .option('watch', { type: 'boolean', default: false, describe: 'Go on, every two seconds, until Ctrl-C' })
      .example('$0 status', 'asks the service on http_listen of this host; where none answers, MySQL alone')
      .epilogue('Exit: 0 all is well, 1 something is late or failing, 2 usage or settings.'),
  handler: async ({ json, watch, ...common }) => {
    const wiring = await loadWiring(common)
    const { showStatus } = await import('../jobs/status.js')
    process.exitCode = await showStatus({ ...wiring, json, watch }, process.stdout)
  },
}
