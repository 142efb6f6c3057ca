import type { CommandModule } from 'yargs'
import { UsageError } from '../exit-codes.js'
import { withConfigOption } from './common.js'

interface HealthArguments {
  readonly config: string | undefined
  readonly ready: boolean
  readonly url: string | undefined
}

/** `archiver health`: for health checks where there is neither a shell nor curl. */
export const healthCommand: CommandModule<object, HealthArguments> = {
  command: 'health',
  describe: 'Ask the service on this machine whether it lives, with --ready whether it works or stands by',
  builder: (yargs) =>
    withConfigOption(yargs)
      .option('ready', { type: 'boolean', default: false, describe: 'Ask /readyz instead of /healthz' })
      .option('url', { type: 'string', requiresArg: true, describe: 'Where it answers [by http_listen]' })
      .epilogue('Exit: 0 it does, 1 it does not or gives no answer.'),
  handler: async ({ ready, url, config }) => {
    const { askHealth } = await import('../jobs/ask-health.js')
    process.exitCode = await askHealth(ready ? '/readyz' : '/healthz', url ?? (await addressOf(config)))
  },
}

/** @throws UsageError where no service of these settings answers. */
async function addressOf(configFile: string | undefined): Promise<string> {
  const [{ listenOf, processSource }, { serviceUrl }] = await Promise.all([
    import('../config/index.js'),
    import('../jobs/service-url.js'),
  ])
  const listen = listenOf(processSource(configFile))
  const url = serviceUrl(listen)
  if (url === null)
    throw new UsageError(`http_listen is ${JSON.stringify(listen || 'off')}: no service answers there; see --url`)
  return url
}
