import type { LogScoreChunk, ScanQuery } from '@archiver/core'
import { type Format, writeRows } from '@archiver/formats'
import { openToRead, type Wiring } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { openOutput } from '../output.js'
import { ReadProgress } from '../report/read-progress.js'
import { StopSignals } from '../stop-signals.js'

export interface ReadJob extends Wiring {
  readonly archive: string
  readonly query: ScanQuery
  readonly format: Format
  /** Undefined for standard output. */
  readonly output: string | undefined
}

/** Writes rows of an archive. @returns the exit code. */
export async function read(job: ReadJob): Promise<number> {
  const { archive, query, format, table } = job
  using signals = new StopSignals(0, () => undefined)
  await using source = await openToRead(archive, job)
  await using output = await openOutput(job.output, signals.stop)
  using progress = new ReadProgress(archive, job.output !== undefined)
  try {
    const rows = counted(source.reader.scan(table, query, signals.stop), progress)
    await writeRows(format, rows, (bytes) => output.write(bytes))
    await output.finish()
    progress.done()
    return ExitCode.ok
  } catch (error) {
    if (output.isClosedByReader) return ExitCode.ok
    if (signals.exitCode !== undefined) return signals.exitCode
    throw error
  }
}

async function* counted(chunks: AsyncIterable<LogScoreChunk>, progress: ReadProgress): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) {
    yield chunk
    progress.add(chunk)
  }
}
