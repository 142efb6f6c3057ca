import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, parseId, requireReason, withCommonOptions } from './common.js'

interface SkipArguments extends CommonArguments {
  readonly name: string
  readonly id: string
  readonly reason: string
}

/** `archiver skip`: takes out one row that an archive cannot hold. */
export const skipCommand: CommandModule<object, SkipArguments> = {
  command: 'skip <name> <id>',
  describe: 'Take out one row that an archive cannot hold, so that the rows after it go on',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .positional('name', { type: 'string', demandOption: true, describe: 'The archiver, such as clickhouse' })
      .positional('id', { type: 'string', demandOption: true, describe: 'The id of the row' })
      .option('reason', { type: 'string', requiresArg: true, demandOption: true, describe: 'Why; kept on record' })
      .example('$0 skip fileavro 123456 --reason "score 1e300 fits no float"', ''),
  handler: async ({ name: archiver, id, reason, ...common }) => {
    const job = { archiver, rowId: parseId(id), reason: requireReason(reason) }
    const { skipRow } = await import('../jobs/skip-row.js')
    process.exitCode = await skipRow({ ...(await loadWiring(common)), ...job })
  },
}
