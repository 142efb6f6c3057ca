import type { CommandModule } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'
import { parsePoint } from './point.js'

interface RestoreArguments extends CommonArguments {
  readonly archive: string | undefined
  readonly into: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly server: number | undefined
  readonly 'dry-run': boolean
  readonly yes: boolean
  readonly 'pause-cleanup': boolean
  readonly 'resume-cleanup': boolean
}

/** `archiver restore`: brings rows of an archive back into MySQL. */
export const restoreCommand: CommandModule<object, RestoreArguments> = {
  command: 'restore [archive]',
  describe: 'Bring rows of an archive back into a MySQL table; what is there is compared, never overwritten',
  builder: (yargs) =>
    withCommonOptions(yargs)
      .positional('archive', { type: 'string', describe: 'fileavro, clickhouse, gcsavro or bigquery' })
      .option('into', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'Table to write; it must exist',
      })
      .option('from', { type: 'string', requiresArg: true, describe: 'First id, or a date (UTC) [the first row]' })
      .option('to', { type: 'string', requiresArg: true, describe: 'Last id, or a date (UTC) [the last, or the mark]' })
      .option('server', { type: 'number', requiresArg: true, describe: 'Only rows of this server' })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Compare and count; write nothing' })
      .option('yes', {
        type: 'boolean',
        default: false,
        describe: 'Write into a table that is archived, without asking',
      })
      .option('pause-cleanup', {
        type: 'boolean',
        default: false,
        describe: 'Hold the cleaner of the table up, until --resume-cleanup: for rows past retention',
      })
      .option('resume-cleanup', {
        type: 'boolean',
        default: false,
        describe: 'Let the cleaner go on; restores nothing',
      })
      .example(
        '$0 restore fileavro --into log_scores_2026 --from 2026-11-01 --to 2026-11-30',
        'a month, into a table apart',
      )
      .example('$0 restore clickhouse --into log_scores --server 42 --dry-run', 'what one server lacks')
      .example(
        '$0 restore bigquery --into log_scores --yes --pause-cleanup',
        'all that is in the archive, old rows too',
      )
      .example('$0 restore --resume-cleanup --into log_scores', 'the cleaner may delete old rows again')
      .epilogue(
        'It may be stopped or killed at any time: run it again, and it passes over what is there.\n' +
          'Exit: 0 done, 1 a difference or a failure, 2 usage or settings.',
      ),
  handler: async (args) => {
    process.exitCode = await run(args)
  },
}

async function run({ archive, into, from, to, server, ...args }: RestoreArguments): Promise<number> {
  const { 'dry-run': dryRun, 'pause-cleanup': pauseCleanup, 'resume-cleanup': resumeCleanup, yes, ...common } = args
  checkArguments(archive, into, server, resumeCleanup)
  const points = {
    from: from === undefined ? undefined : parsePoint(from, 'from'),
    to: to === undefined ? undefined : parsePoint(to, 'to'),
  }
  const wiring = await loadWiring(common)
  const jobs = await import('../jobs/restore.js')
  if (archive === undefined || resumeCleanup) return jobs.letCleanerGoOn(wiring, into)
  const { checkArchive } = await import('../archivers.js')
  checkArchive(archive)
  return jobs.restoreRows({ ...wiring, ...points, archive, into, serverId: server, dryRun, yes, pauseCleanup })
}

function checkArguments(archive: string | undefined, into: string, server: number | undefined, resume: boolean): void {
  if (archive === undefined && !resume) throw new UsageError('restore: name the archive, such as fileavro')
  if (!/^\w{1,64}$/.test(into))
    throw new UsageError(`--into: ${JSON.stringify(into)} is no table of letters, digits and _`)
  if (server === undefined || (Number.isInteger(server) && server >= 0 && server < 2 ** 32)) return
  throw new UsageError('--server: a whole number is expected')
}
