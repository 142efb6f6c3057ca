import type { LogScoreChunk, ScanQuery } from '@archiver/core'
import { type Format, writeRows } from '@archiver/formats'
import { openToRead, type Wiring } from '../archivers.js'
import { DoubledRows } from '../doubled-rows.js'
import { ExitCode } from '../exit-codes.js'
import { openOutput } from '../output.js'
import { ReadProgress } from '../report/read-progress.js'
import { printError } from '../standard-streams.js'
import { StopSignals } from '../stop-signals.js'

export interface ReadJob extends Wiring {
  readonly archive: string
  readonly query: ScanQuery
  readonly format: Format
  /** Undefined for standard output. */
  readonly output: string | undefined
  /** CSV without formulas. */
  readonly quoteFormulas: boolean
}

/** Writes rows of an archive. @returns the exit code. */
export async function read(job: ReadJob): Promise<number> {
  const { archive, query, format, table, quoteFormulas } = job
  using signals = new StopSignals(0, () => undefined)
  await using source = await openToRead(archive, job)
  await using output = await openOutput(job.output, signals.stop)
  using progress = new ReadProgress(archive, job.output !== undefined)
  const doubled = new DoubledRows()
  try {
    const rows = seen(source.reader.scan(table, query, signals.stop), progress, doubled)
    await writeRows(format, rows, (bytes) => output.write(bytes), { quoteFormulas })
    await output.finish()
  } catch (error) {
    if (output.isClosedByReader) return ExitCode.ok
    if (signals.exitCode !== undefined) return signals.exitCode
    throw error
  }
  progress.done()
  if (progress.rows === 0) printError(`${archive}: no row matches`)
  const error = doubled.error(archive)
  if (error !== undefined) throw error
  return ExitCode.ok
}

async function* seen(
  chunks: AsyncIterable<LogScoreChunk>,
  progress: ReadProgress,
  doubled: DoubledRows,
): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    doubled.add(chunk)
    yield chunk
    progress.add(chunk)
  }
}
