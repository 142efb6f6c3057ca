import { createScoresApi } from '@archiver/scores-api'
import { startGuardedServer } from '@archiver/web/guarded-server'
import { parseListen } from '@archiver/web/listen'
import { configuredArchives, openToRead, type Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { errorLine } from '../report/error-lines.js'
import { printError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'

export interface ServeJob extends Wiring {
  /** `127.0.0.1:5080`. */
  readonly listen: string
  /** Undefined for the one that is best at it. */
  readonly archive: string | undefined
}

/** A page that is under way has so long when the server is told to stop. */
const GRACE_MS = 5_000

/** Answers requests for scores until a signal comes. @returns the exit code. */
export async function serve(job: ServeJob): Promise<number> {
  const { settings, table, listen } = job
  using signals = new StopSignals(0, () => undefined)
  // The settings name at least one.
  const archive = job.archive ?? configuredArchives(settings)[0]!
  await using source = await openToRead(archive, job)
  const handler = createScoresApi({
    reader: source.reader,
    table,
    onError: (error) => printError(errorLine(error)),
  })
  await using server = await startGuardedServer({
    ...{ listen, setting: '--listen', alsoAnswer: handler, graceMs: GRACE_MS },
    hostNames: settings.service.allowedHosts,
    warn: printError,
  })
  printError(`${archive}: answering at ${urlOf(listen, server.port)}/api/scores`)
  if (!signals.drain.aborted) await new Promise((resolve) => signals.drain.addEventListener('abort', resolve))
  return ExitCode.ok
}

function urlOf(listen: string, port: number): string {
  const { host = 'localhost' } = parseListen(listen)
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
