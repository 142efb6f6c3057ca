import { setTimeout as delay } from 'node:timers/promises'
import { type ServiceStatus, statusFromMySql } from '@archiver/service'
import type { Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { statusLines } from '../report/status-lines.js'
import { serviceConfig } from '../service-config.js'
import { standardOutput } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'
import { version } from '../version.js'
import { askService } from './ask-service.js'

export interface StatusJob extends Wiring {
  readonly json: boolean
  /** Again and again, until a signal. */
  readonly watch: boolean
}

const WATCH_INTERVAL_MS = 2_000
/** Home, and everything below it away. */
const CLEAR = '\x1b[H\x1b[J'

/** Prints how it goes. Takes no lock, changes nothing. @returns the exit code. */
export async function showStatus(job: StatusJob, out: NodeJS.WriteStream): Promise<number> {
  if (!job.watch) return printed(await currentStatus(job), job, out)
  using signals = new StopSignals(0, () => undefined)
  let code: number = ExitCode.ok
  while (!signals.drain.aborted) {
    const status = await currentStatus(job)
    if (out.isTTY && !job.json) standardOutput.write(CLEAR)
    code = printed(status, job, out)
    if (standardOutput.lostLines > 0) break
    await delay(WATCH_INTERVAL_MS, undefined, { signal: signals.drain }).catch(() => undefined)
  }
  return signals.exitCode ?? code
}

/** From the service where one answers, otherwise from MySQL. */
async function currentStatus(job: StatusJob): Promise<ServiceStatus> {
  const { settings, table } = job
  const { database } = settings.mysql
  const asked = await askService(settings.service.listen, { database, table })
  return asked ?? statusFromMySql({ version: version(), config: serviceConfig(job) })
}

function printed(status: ServiceStatus, { json, watch }: StatusJob, out: NodeJS.WriteStream): number {
  const text = json ? JSON.stringify(status, null, watch ? 0 : 2) : statusLines(status, Date.now(), out).join('\n')
  standardOutput.write(`${text}\n`)
  return status.health === 'ok' ? ExitCode.ok : ExitCode.failed
}
