import { errorText } from '@archiver/core'
import { ExitCode } from '../exit-codes.js'
import { printLine } from '../standard-streams.js'

/** A health check that takes longer has failed; whoever asks waits 5 s. */
const timeoutMs = 4_000

/** Prints what a service answers. @returns the exit code: whether it answered that all is well. */
export async function askHealth(path: '/healthz' | '/readyz', base: string): Promise<number> {
  const url = new URL(path, base)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    printLine((await response.text()).trim())
    return response.ok ? ExitCode.ok : ExitCode.failed
  } catch (thrown) {
    const { cause } = thrown as { cause?: unknown } // fetch hides what happened behind "fetch failed"
    printLine(`no answer from ${url}: ${errorText(cause ?? thrown)}`)
    return ExitCode.failed
  }
}
