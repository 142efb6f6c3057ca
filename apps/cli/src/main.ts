#!/usr/bin/env node
import { enablePrivateCompileCache } from './compile-cache.js'
import { invocationOf, readSettingsAsLoop } from './config/invocation.js'

enablePrivateCompileCache(import.meta.filename)

// No await out here: the Linux executable runs this as a script.
void main(wordsOfInvocation()).then((code) => process.exit(code))

/** The command line; called as the Go program's loop, the program takes that one's rules for settings. */
function wordsOfInvocation(): readonly string[] {
  const { args, asLoop } = invocationOf(process.argv0, process.argv.slice(2))
  if (asLoop) readSettingsAsLoop()
  return args
}

async function main(args: readonly string[]): Promise<number> {
  const [{ ExitCode }, { errorLine }, { outputFailure, printError }] = await Promise.all([
    import('./exit-codes.js'),
    import('./report/error-lines.js'),
    import('./standard-streams.js'),
  ])
  // What Node itself or a prompt writes: a full disk ends nothing.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const code = await codeOf(() => runCommand(args))
  const failure = outputFailure()
  if (failure === undefined) return code
  printError(`archiver: ${errorLine(failure)}`)
  return code === ExitCode.ok ? ExitCode.failed : code
}

/** The exit code of a command; an error that ended it is printed. */
async function codeOf(command: () => Promise<number>): Promise<number> {
  const [{ exitCodeOf, ExitCode, UsageError }, { errorLine }, { printError }] = await Promise.all([
    import('./exit-codes.js'),
    import('./report/error-lines.js'),
    import('./standard-streams.js'),
  ])
  try {
    return await command()
  } catch (error) {
    printError(`archiver: ${errorLine(error)}`)
    if (!(error instanceof UsageError)) return exitCodeOf(error)
    printError('archiver --help lists the commands and options.')
    return ExitCode.usage
  }
}

/** Reads the command line and runs the command. @returns its exit code. */
async function runCommand(args: readonly string[]): Promise<number> {
  const [{ default: yargs }, { addCommands, withSuggestion }, { UsageError }, { standardOutput }, { version }] =
    await Promise.all([
      import('yargs'),
      import('./commands/index.js'),
      import('./exit-codes.js'),
      import('./standard-streams.js'),
      import('./version.js'),
    ])

  await addCommands(yargs())
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
      throw error ?? new UsageError(withSuggestion(message, args[0]))
    })
    // With a callback yargs leaves the printing of help and version to it.
    .parseAsync([...args], (_error: unknown, _argv: unknown, text: string) => {
      if (text !== '') standardOutput.write(`${text}\n`)
    })
  return Number(process.exitCode ?? 0)
}
