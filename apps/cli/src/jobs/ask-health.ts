import { errorText } from '@archiver/core'
import { ExitCode, UsageError } from '../exit-codes.js'

/** A health check that takes longer has failed; whoever asks waits 5 s. */
const timeoutMs = 4_000

/** Prints what a service answers. @returns the exit code: whether it answered that all is well. */
export async function askHealth(path: '/healthz' | '/readyz', base: string): Promise<number> {
  const url = new URL(path, base)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
    console.log((await response.text()).trim())
    return response.ok ? ExitCode.ok : ExitCode.failed
  } catch (thrown) {
    const { cause } = thrown as { cause?: unknown } // fetch hides what happened behind "fetch failed"
    console.log(`no answer from ${url}: ${errorText(cause ?? thrown)}`)
    return ExitCode.failed
  }
}

/** Where a service of this machine answers, by its `http_listen`: `:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
export function addressOf(listen: string): string {
  const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? []
  if (port === undefined) throw new UsageError(`http_listen is ${JSON.stringify(listen)}: no service answers there`)
  return `http://${host === '' || host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`
}
