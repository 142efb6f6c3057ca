import type { CommandModule } from 'yargs'
import { processSource } from '../config/invocation.js'
import type { SettingsSource } from '../config/layers.js'
import type { SettingsReport } from '../config/load.js'
import { standardOutput } from '../standard-streams.js'

interface ConfigArguments {
  json: boolean
  config: string | undefined
}

/** `archiver config`: the effective values, where each comes from, and all that is wrong with them. */
export const configCommand: CommandModule<object, ConfigArguments> = {
  command: 'config',
  describe: 'Print the effective settings and where each comes from; secrets are masked',
  builder: (yargs) =>
    yargs.option('json', { type: 'boolean', default: false, describe: 'Print JSON' }).option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'Env file to read; the environment wins over it',
    }),
  handler: ({ json, config }) => printConfiguration(processSource(config), { json, write: standardOutput.write }),
}

/** @throws ConfigError naming all that is wrong, after the settings have been printed. */
export async function printConfiguration(
  source: SettingsSource,
  { json, write }: { readonly json: boolean; readonly write: (text: string) => unknown },
): Promise<void> {
  const [{ readSettings }, { reportJson, reportTable }, { ConfigError }, { version }] = await Promise.all([
    import('../config/load.js'),
    import('../config/report.js'),
    import('../config/problem.js'),
    import('../version.js'),
  ])
  const report = withVersion(readSettings(source), version())
  write(json ? reportJson(report) : reportTable(report))
  if (report.problems.length > 0) throw new ConfigError(report.problems)
}

/** `app_version`, where nobody has set it, is what the program knows of itself. */
function withVersion(report: SettingsReport, value: string): SettingsReport {
  const known = { value, origin: 'this program' }
  const variables = report.variables.map((variable) =>
    variable.name === 'app_version' && variable.value === null ? { ...variable, ...known } : variable,
  )
  return { ...report, variables }
}
