import { type Format, formats, isFormat, isText } from '@archiver/formats/names'
import type { CommandModule } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { type CommonArguments, loadWiring, withCommonOptions } from './common.js'
import { type QueryArguments, queryOf, withQueryOptions } from './query-options.js'

interface ReadArguments extends CommonArguments, QueryArguments {
  readonly archive: string
  readonly format: string
  readonly output: string | undefined
  readonly 'quote-formulas': boolean
}

/** `archiver read`: rows out of an archive. */
export const readCommand: CommandModule<object, ReadArguments> = {
  command: 'read <archive>',
  describe: 'Print what an archive holds: all of it, or the rows of a server, a monitor or a time',
  builder: (yargs) =>
    withQueryOptions(
      withCommonOptions(yargs).positional('archive', {
        type: 'string',
        demandOption: true,
        describe: 'fileavro, clickhouse, gcsavro or bigquery',
      }),
    )
      .option('format', {
        type: 'string',
        requiresArg: true,
        choices: formats,
        default: 'ndjson',
        describe: 'How the rows are written',
      })
      .option('output', {
        type: 'string',
        requiresArg: true,
        describe: 'File to write to, replaced when all is written [standard output]',
      })
      .option('quote-formulas', {
        type: 'boolean',
        default: false,
        describe: 'CSV: put an apostrophe before texts that a spreadsheet would run as a formula',
      })
      .example('$0 read fileavro --server 1234 --from 2026-11-01 --to 2026-11-07', 'a week of one server')
      .example('$0 read clickhouse --server 1234 | jq .score', 'every row is a line of JSON')
      .example('$0 read gcsavro --from 2026-11-01 --to 2026-11-01 --format parquet --output day.parquet', 'a day')
      .example('$0 read bigquery --from 4000000001 --to 4000001000 --format csv', 'rows by their ids')
      .epilogue(
        'Rows come in the order of their ids. MySQL is not asked: only the settings of the archive are needed. See docs/read.md.\n' +
          'Exit: 0 done, also when whoever reads the output has had enough; 1 a failure; 2 usage or settings; 130, 143 a signal.',
      ),
  handler: async (given) => {
    const query = queryOf(given)
    const format = checkedFormat(given)
    const { output, 'quote-formulas': quoteFormulas } = given
    if (quoteFormulas && format !== 'csv') throw new UsageError(`--quote-formulas is for --format csv, not ${format}`)
    const wiring = await loadWiring(given, { withoutMySql: true })
    const { read } = await import('../jobs/read.js')
    process.exitCode = await read({ ...wiring, archive: given.archive, query, format, output, quoteFormulas })
  },
}

/** @throws UsageError where a terminal would be sent what nobody can read. */
function checkedFormat({ format, output }: ReadArguments): Format {
  if (!isFormat(format)) throw new UsageError(`--format: ${format} is none of ${formats.join(', ')}`)
  if (!isText(format) && output === undefined && process.stdout.isTTY) {
    throw new UsageError(`--format ${format} is not for a terminal: add --output FILE, or send it on with > or |`)
  }
  return format
}
