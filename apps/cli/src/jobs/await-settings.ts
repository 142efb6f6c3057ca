import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { harmlessLines } from '@archiver/core'
import { startGuardedServer } from '@archiver/web/guarded-server'
import type { Wiring } from '../archivers.js'
import { ConfigError } from '../config/index.js'
import type { LogReporter } from '../report/log-reporter.js'
import { StopSignals } from '../stop-signals.js'

/** Where an orchestrator lays settings as files, perhaps after the program has started. */
const secretsFolder = '/vault/secrets'
const lookAgainMs = 2_000

/**
 * Whether settings that cannot be used are worth waiting for: where they come as files, a secret may be late or about to
 * be corrected. Anywhere else nothing changes without a new start.
 */
export function mayArrive(error: unknown): error is ConfigError {
  return error instanceof ConfigError && existsSync(secretsFolder)
}

/**
 * Reads the settings again until they can be used; tells what is wrong in the log, once for each thing, and in /readyz.
 *
 * @param listen - where it answers meanwhile, as `http_listen` has it; empty for nowhere
 * @returns undefined where the program is to stop.
 */
export async function awaitSettings(
  load: () => Promise<Wiring>,
  error: ConfigError,
  listen: string,
  reporter: LogReporter,
): Promise<Wiring | undefined> {
  using signals = new StopSignals(0, (text) => reporter.warn(text))
  let wrong = error
  reporter.failed(wrong)
  const server = await answer(
    listen,
    () => wrong,
    (text) => reporter.warn(text),
  )
  try {
    while (!signals.drain.aborted) {
      await delay(lookAgainMs, undefined, { signal: signals.drain }).catch(() => undefined)
      const loaded = await load().catch(orError)
      if (!(loaded instanceof ConfigError)) return signals.drain.aborted ? undefined : loaded
      if (loaded.message !== wrong.message) reporter.failed(loaded)
      wrong = loaded
    }
    return undefined
  } finally {
    await server?.[Symbol.asyncDispose]()
  }
}

function orError(thrown: unknown): ConfigError {
  if (thrown instanceof ConfigError) return thrown
  throw thrown
}

/** It lives, and is not ready: what is wrong, a line each. Nothing where `http_listen` is off. */
async function answer(
  listen: string,
  wrong: () => ConfigError,
  warn: (text: string) => void,
): Promise<AsyncDisposable | undefined> {
  if (listen === '') return undefined
  const type = 'text/plain; charset=utf-8'
  const notReady = () => ({ status: 503, type, body: harmlessLines(`not ready: ${wrong().message}\n`) })
  const alive = () => ({ status: 200, type, body: 'ok\n' })
  const routes = new Map([...['/', '/readyz', '/metrics', '/api/status'].map((path) => [path, notReady] as const)])
  return startGuardedServer({ listen, warn, routes: routes.set('/healthz', alive).set('/__health', alive) })
}
