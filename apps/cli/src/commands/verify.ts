import type { CommandModule } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'
import { parsePoints } from './point.js'

interface VerifyArguments extends CommonArguments {
  readonly only: readonly string[]
  readonly from: string | undefined
  readonly to: string | undefined
  readonly deep: boolean
  readonly 'fail-on-deleted': boolean
  readonly json: boolean
  readonly repair: boolean
  readonly yes: boolean
}

/** `archiver verify`: compares what the archives hold with the source. */
export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify',
  describe: 'Compare what the archives hold with the source: by sums, or with --deep every column of every row',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .option('only', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [],
        describe: 'Only this archiver; may be repeated',
      })
      .option('from', {
        type: 'string',
        requiresArg: true,
        describe: 'First id, a date (UTC) or @epoch seconds [the oldest row]',
      })
      .option('to', {
        type: 'string',
        requiresArg: true,
        describe: 'Last id, a date (UTC) or @epoch seconds [the mark]',
      })
      .option('deep', { type: 'boolean', default: false, describe: 'Compare every column of every row' })
      .option('fail-on-deleted', {
        type: 'boolean',
        default: false,
        describe: 'Count rows that were deleted from MySQL since as a difference',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .option('repair', { type: 'boolean', default: false, describe: 'Store the rows that are missing; asks first' })
      .option('yes', { type: 'boolean', default: false, describe: 'Do not ask' })
      .example('$0 verify', 'rows, ids, servers and times of everything that MySQL still has')
      .example('$0 verify --only fileavro --from 2026-11-01 --to 2026-11-02 --deep', 'two days, every column')
      .epilogue(
        'Exit: 0 no difference, 1 a difference or a failure, 2 usage or settings, 3 the lock is held (--repair).',
      ),
  handler: async ({ only, from, to, deep, 'fail-on-deleted': failOnDeleted, json, repair, yes, ...common }) => {
    if (repair && !yes && (json || !process.stdin.isTTY))
      throw new UsageError('--repair asks, and nobody is there: add --yes')
    const points = parsePoints(from, to)
    const wiring = await loadWiring(common)
    const { checkOnly } = await import('../archivers.js')
    checkOnly(only)
    const [{ createVerifyReporter }, { verify }] = await Promise.all([
      import('../report/verify-reporter.js'),
      import('../jobs/verify.js'),
    ])
    const job = { ...wiring, ...points, only, deep, failOnDeleted, repair, yes }
    process.exitCode = await verify(job, createVerifyReporter(json))
  },
}
