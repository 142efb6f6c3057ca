import type { Argv } from 'yargs'
import type { Wiring } from '../archivers.js'
import type { readShellSecrets as ReadShellSecrets } from '../config/index.js'
import { UsageError } from '../exit-codes.js'

/** What every command that works on a table is told. */
export interface CommonArguments {
  readonly config: string | undefined
  readonly table: string | undefined
}

/** Adds --table and --config. */
export function withCommonOptions<T>(yargs: Argv<T>) {
  const table = { alias: 't', type: 'string', requiresArg: true, describe: 'Source table [app_default_table]' } as const
  return withConfigOption(yargs.option('table', table))
}

/** Adds --config. */
export function withConfigOption<T>(yargs: Argv<T>) {
  const describe = 'Env file to read; the environment wins over it'
  return yargs.option('config', { type: 'string', requiresArg: true, describe })
}

/** What a command needs of the settings. */
interface Needs {
  /** True for commands that only read archives: what says where MySQL is may be missing. */
  readonly withoutMySql?: boolean
}

/** The settings, the table and its lock. @throws ConfigError */
export async function loadWiring(
  { config: configFile, table }: CommonArguments,
  { withoutMySql = false }: Needs = {},
): Promise<Wiring> {
  const [{ loadSettings, processSource, readShellSecrets }, { chooseTarget }] = await Promise.all([
    import('../config/index.js'),
    import('../archivers.js'),
  ])
  const source = { ...processSource(configFile), withoutMySql }
  const settings = loadSettings(source)
  if (source.asLoop) exportSecrets(readShellSecrets(source).files)
  return { settings, ...chooseTarget(settings, table) }
}

/** What files of secrets export is for libraries too: `OTEL_…`, `HTTPS_PROXY`. The settings have been read from them. */
function exportSecrets(files: ReturnType<typeof ReadShellSecrets>['files']): void {
  for (const { assignments } of files) {
    for (const name of assignments.exported) {
      const value = assignments.values.get(name)
      if (value !== undefined) process.env[name] = value
    }
  }
}

/** @throws UsageError for anything but a whole number from 1 to 2^64-1. */
export function parseId(text: string): bigint {
  const id = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n
  if (id < 1n || id >= 2n ** 64n)
    throw new UsageError(`${JSON.stringify(text)} is no id: a whole number from 1 is expected`)
  return id
}

/** @throws UsageError for a reason that says nothing. */
export function requireReason(reason: string): string {
  if (reason.trim() === '') throw new UsageError('--reason: say why; it is kept with the record')
  return reason.trim()
}
