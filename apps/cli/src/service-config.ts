import type { ServiceConfig } from '@archiver/service'
import { configuredPolicies, openArchiver, type Wiring } from './archivers.js'
import { throttleOf } from './jobs/clean-up.js'
import { sourceDatabase } from './sources.js'

/** The settings as a service takes them. */
export function serviceConfig(wiring: Wiring): ServiceConfig {
  const { settings, table, lockName } = wiring
  const { settleMs, shutdownTimeoutMs, cleanup } = settings
  const { runIntervalMs, runConcurrency, statusLateAfterMs, runbookUrl } = settings.service
  return {
    ...{
      database: sourceDatabase(wiring),
      table,
      lockName,
      settleMs,
      shutdownTimeoutMs,
      runIntervalMs,
      runConcurrency,
      statusLateAfterMs,
    },
    ...(runbookUrl !== undefined && { runbookUrl }),
    cleanup: { policy: cleanup, throttle: throttleOf(cleanup) },
    exactAttributes: settings.exactAttributes,
    policies: configuredPolicies(settings),
    open: (name) => openArchiver(name, wiring),
  }
}
