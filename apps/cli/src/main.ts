#!/usr/bin/env node
import { enablePrivateCompileCache } from './compile-cache.js'

enablePrivateCompileCache(import.meta.filename)

// No await out here: the Linux executable runs this as a script.
void main(process.argv.slice(2)).then((code) => process.exit(code))

async function main(args: readonly string[]): Promise<number> {
  const [{ default: yargs }, { addCommands }, { exitCodeOf, ExitCode, UsageError }, { errorLine }, { version }] =
    await Promise.all([
      import('yargs'),
      import('./commands/index.js'),
      import('./exit-codes.js'),
      import('./report/error-lines.js'),
      import('./version.js'),
    ])
  try {
    await addCommands(yargs([...args]))
      .scriptName('archiver')
      .usage('$0 <command>\n\nCopies every row of the MySQL table log_scores into its archives, exactly once.')
      .demandCommand(1, 'Name a command.')
      .strict()
      .version(version())
      .help()
      .alias('help', 'h')
      .epilogue(
        'archiver <command> --help tells more. The settings are environment variables: see docs/configuration.md.',
      )
      .fail((message, error) => {
        throw error ?? new UsageError(message)
      })
      .parseAsync()
    return Number(process.exitCode ?? ExitCode.ok)
  } catch (error) {
    process.stderr.write(`archiver: ${errorLine(error)}\n`)
    if (!(error instanceof UsageError)) return exitCodeOf(error)
    process.stderr.write('archiver --help lists the commands and options.\n')
    return ExitCode.usage
  }
}
