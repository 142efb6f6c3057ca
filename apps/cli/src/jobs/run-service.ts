import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { watchLockWaits } from '@archiver/mysql'
import { FileWatch, Service, type ServiceView } from '@archiver/service'
import type { Wiring } from '../archivers.js'
import { processSource, settingsFiles } from '../config/index.js'
import { ExitCode } from '../exit-codes.js'
import { errorLine } from '../report/error-lines.js'
import type { LogReporter } from '../report/log-reporter.js'
import { withTracing } from '../report/tracing.js'
import { serviceConfig } from '../service-config.js'
import { standardError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'
import { version } from '../version.js'
import { MountedScores, SCORES_PATH } from './mounted-scores.js'
import { SettingChanges } from './setting-changes.js'

export interface RunJob extends Wiring {
  /** The value of `--config`. */
  readonly config: string | undefined
  /** Reads the settings anew. @throws ConfigError */
  readonly reload: () => Promise<Wiring>
}

/** What has not ended so long after the grace period is left: Kubernetes waits 30 s in all. */
const LAST_WAIT_MS = 3_000

/** Archives until SIGTERM or SIGINT. @returns the exit code. */
export async function runService(job: RunJob, reporter: LogReporter): Promise<number> {
  using signals = new StopSignals(job.settings.shutdownTimeoutMs, (text) => reporter.warn(text))
  await using listener = await withTracing(reporter)
  await using scores = new MountedScores(job, (error) => reporter.warn(`${SCORES_PATH}: ${errorLine(error)}`))
  let read: Wiring = job
  let taken: Wiring = job
  const changes = new SettingChanges(processSource(job.config))
  using _waits = watchLockWaits(
    () => read.settings.mysql,
    (text) => reporter.warn(text),
  )
  const service = new Service({
    version: version(),
    config: serviceConfig(job),
    reload: async () => {
      read = await reloaded(job, reporter)
      return { ...serviceConfig(read), changed: changes.since(taken.settings, read.settings) }
    },
    lostLogLines: () => standardError.lostLines,
    drain: signals.drain,
    stop: signals.stop,
    onEvent: listener.onEvent,
    onCleanup: (event) => reporter.onCleanup(event, job.table),
    onLife: (event) => {
      reporter.onLife(event)
      if (event.event !== 'service.reloaded') return
      taken = read
      changes.take()
      void scores.take(read)
    },
  })
  await using _web = await startWeb(job, service.view, scores, reporter)
  using _reloads = reloadOn(service, job)
  await Promise.race([service.run(), hasGivenUp(signals.stop)])
  return ExitCode.ok
}

/** A reload takes nothing that was settled at the start. */
async function reloaded({ reload, settings: before }: RunJob, reporter: LogReporter): Promise<Wiring> {
  const wiring = await reload()
  const { settings } = wiring
  for (const warning of settings.warnings) reporter.warn(warning)
  const late = [
    ...(settings.service.listen === before.service.listen ? [] : ['http_listen']),
    ...(isDeepStrictEqual(settings.service.allowedHosts, before.service.allowedHosts) ? [] : ['http_allowed_hosts']),
    ...(settings.service.fullDetails === before.service.fullDetails ? [] : ['http_details']),
    ...(settings.shutdownTimeoutMs === before.shutdownTimeoutMs ? [] : ['shutdown_timeout']),
    ...(settings.logging.level === before.logging.level ? [] : ['log_level']),
    ...(settings.logging.format === before.logging.format ? [] : ['log_format']),
  ]
  if (late.length > 0) reporter.warn(`${late.join(', ')}: taken when the service starts again`)
  return wiring
}

/** SIGHUP, and changes of the files that settings are read from. */
function reloadOn(service: Service, { config }: RunJob): Disposable {
  const source = processSource(config)
  const reload = (): void => service.requestReload()
  process.on('SIGHUP', reload)
  const watch = new FileWatch(() => settingsFiles(source), reload)
  return {
    [Symbol.dispose]: () => {
      process.off('SIGHUP', reload)
      watch[Symbol.dispose]()
    },
  }
}

async function startWeb(
  { settings }: RunJob,
  view: ServiceView,
  { answer: alsoAnswer }: MountedScores,
  reporter: LogReporter,
): Promise<AsyncDisposable> {
  const { listen, allowedHosts: hostNames, fullDetails } = settings.service
  if (listen === '') return { [Symbol.asyncDispose]: async () => undefined }
  const { startWeb: start } = await import('@archiver/web')
  const hidden = fullDetails ? {} : { hiddenUsers: [settings.mysql.user] }
  const alsoPaths = settings.clickhouse === undefined ? {} : (await import('@archiver/scores-api')).scoresPaths()
  return start({ view, listen, hostNames, ...hidden, alsoAnswer, alsoPaths, warn: (text) => reporter.warn(text) })
}

async function hasGivenUp(stop: AbortSignal): Promise<void> {
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }))
  await delay(LAST_WAIT_MS)
}
