import { hostname } from 'node:os'
import { ArchiverError, errorText } from '@archiver/core'
import type { Wiring } from '../archivers.js'
import { ExitCode, UsageError } from '../exit-codes.js'
import { printLine } from '../standard-streams.js'
import { askService } from './ask-service.js'

/** Tells the service on this host to try an archiver now that waits after a failure. @returns the exit code. */
export async function retryNow(name: string, { settings, table }: Wiring): Promise<number> {
  const { database } = settings.mysql
  const status = await askService(settings.service.listen, { database, table })
  if (status?.service == null) throw noService('no service of these settings answers on this host')
  if (status.host !== hostname()) throw noService(`the service that answers runs on another host, ${status.host}`)
  const { pid, role } = status.service
  if (role !== 'leader') throw noService(`the service on this host is ${role}`)
  const cleanup = status.cleanup === null ? [] : [{ archiver: 'cleanup', ...status.cleanup }]
  const all = [...status.archivers, ...cleanup]
  const found = all.find(({ archiver }) => archiver === name)
  if (found === undefined) {
    const names = all.map(({ archiver }) => archiver).join(', ')
    throw new UsageError(`${name} is not turned on; turned on are ${names || 'none'}`)
  }
  if (found.error === null) {
    printLine(`${name} does not wait after a failure: it is ${found.state}`)
    return ExitCode.ok
  }
  tell(pid)
  printLine(`${name}: the service tries again at its next look, within run_interval`)
  return ExitCode.ok
}

function tell(pid: number): void {
  try {
    process.kill(pid, 'SIGHUP')
  } catch (error) {
    throw noService(`the service, process ${pid}, cannot be told: ${errorText(error)}`)
  }
}

function noService(why: string): ArchiverError {
  return new ArchiverError(`nothing was retried: ${why}`, {
    code: 'RETRY_NO_SERVICE',
    hint: 'Run it on the host, or in the container, of the service that leads, with the settings and as the user of that service.',
  })
}
