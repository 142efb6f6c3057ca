import type { CommandModule } from 'yargs'
import { type CommonArguments, loadWiring, parseId, requireReason, withCommonOptions } from './common.js'

interface MarkArguments extends CommonArguments {
  readonly name: string
  readonly set: string
  readonly reason: string
  readonly yes: boolean
}

/** `archiver mark`: moves a mark by hand, with a preview and a record. */
export const markCommand: CommandModule<object, MarkArguments> = {
  command: 'mark <name>',
  describe: 'Move the mark of an archiver, forward or back',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .positional('name', { type: 'string', demandOption: true, describe: 'The archiver, such as clickhouse' })
      .option('set', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'The id of the last row that counts as stored, or none',
      })
      .option('reason', { type: 'string', requiresArg: true, demandOption: true, describe: 'Why; kept on record' })
      .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' })
      .example('$0 mark clickhouse --set 123456 --reason "partition 2026-11-02 was lost"', ''),
  handler: async ({ name: archiver, set, reason, yes, ...common }) => {
    const to = set === 'none' ? null : parseId(set)
    const why = requireReason(reason)
    const { moveMark } = await import('../jobs/move-mark.js')
    process.exitCode = await moveMark({ ...(await loadWiring(common)), archiver, to, reason: why, yes })
  },
}
