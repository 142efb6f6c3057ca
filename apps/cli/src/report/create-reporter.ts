import type { Settings } from '../config/index.js'
import { standardError } from '../standard-streams.js'
import type { LogReporter } from './log-reporter.js'
import type { Reporter } from './reporter.js'

/** A bar on a terminal, else log lines on standard error; `json` and `pretty` are log lines wherever they go. */
export async function createReporter({ level, format }: Settings['logging']): Promise<Reporter> {
  if (format === 'auto' && process.stderr.isTTY) {
    const { TerminalReporter } = await import('./terminal-reporter.js')
    return new TerminalReporter(standardError)
  }
  return createLogReporter({ level, format })
}

/** Log lines on standard error; `auto` is `pretty` on a terminal, else `json`. */
export async function createLogReporter({ level, format }: Settings['logging']): Promise<LogReporter> {
  const [{ pino }, { LogReporter }] = await Promise.all([import('pino'), import('./log-reporter.js')])
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  const isPretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY)
  if (!isPretty) return new LogReporter(pino(options, standardError))
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ hideObject: true, colorize: process.stderr.isTTY })
  return new LogReporter(pino(options, { write: (line) => standardError.write(pretty(line)) }))
}
