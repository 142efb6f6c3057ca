import { createScoresApi, startScoresServer } from '@archiver/scores-api'
import { configuredArchives, openToRead, type Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { errorLine } from '../report/error-lines.js'
import { printError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'

export interface ServeJob extends Wiring {
  readonly listen: { readonly host: string; readonly port: number }
  /** Undefined for the one that is best at it. */
  readonly archive: string | undefined
}

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
  await using server = await startScoresServer(handler, listen)
  printError(`${archive}: answering at ${server.url}/api/scores`)
  if (!signals.drain.aborted) await new Promise((resolve) => signals.drain.addEventListener('abort', resolve))
  return ExitCode.ok
}
