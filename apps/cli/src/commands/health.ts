import type { CommandModule } from 'yargs'

interface HealthArguments {
  readonly ready: boolean
  readonly url: string | undefined
}

/** `archiver health`: for health checks where there is neither a shell nor curl. */
export const healthCommand: CommandModule<object, HealthArguments> = {
  command: 'health',
  describe: 'Ask the service on this machine whether it lives, with --ready whether it works or stands by',
  builder: (yargs) =>
    yargs
      .option('ready', { type: 'boolean', default: false, describe: 'Ask /readyz instead of /healthz' })
      .option('url', { type: 'string', requiresArg: true, describe: 'Where it answers [by http_listen]' })
      .epilogue('Exit: 0 it does, 1 it does not or gives no answer.'),
  handler: async ({ ready, url }) => {
    const { addressOf, askHealth } = await import('../jobs/ask-health.js')
    const base = url ?? addressOf(process.env.http_listen || ':5000')
    process.exitCode = await askHealth(ready ? '/readyz' : '/healthz', base)
  },
}
