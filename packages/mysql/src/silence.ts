import { channel } from 'node:diagnostics_channel'
import type { Connection } from 'mysql2'
import { streamOf } from './stream.js'

/** A statement that has been silent for so long is looked up on the server. */
const NOTICE_MS = 5_000

/** A statement that the server has not answered for some time. */
export interface SilentStatement {
  /** The server's id of the connection. */
  readonly threadId: number
  readonly silentMs: number
}

/** Published once for each statement that is silent for 5 seconds. */
export const silentStatements = channel('archiver:mysql:silent')

const extraMs = new WeakMap<Connection, number>()

/** From now on the connection's statements may be silent for so much longer: GET_LOCK waits as long as it is told. */
export function allowSilence(connection: Connection, ms: number): void {
  extraMs.set(connection, ms)
}

/**
 * Publishes a statement that is silent for 5 seconds, and closes the connection when one gets no byte of an answer for `limitMs`; it fails
 * with ETIMEDOUT. A
 * connection without a statement may be idle for any time.
 *
 * @param limitMs - 0 for no limit.
 */
export function watchSilence(connection: Connection, limitMs: number): void {
  const stream = streamOf(connection)
  const stepMs = limitMs === 0 ? NOTICE_MS : Math.min(NOTICE_MS, limitMs)
  let [silentMs, bytesRead] = [0, -1]
  // The timer of a socket starts again with each byte that is sent or received.
  stream.setTimeout(stepMs).on('timeout', () => {
    if (!isBusy(connection)) return
    silentMs = stream.bytesRead === bytesRead ? silentMs + stepMs : stepMs
    bytesRead = stream.bytesRead
    const allowedMs = limitMs + (extraMs.get(connection) ?? 0)
    if (limitMs !== 0 && silentMs >= allowedMs) {
      stream.destroy(timedOut(allowedMs))
      return
    }
    stream.setTimeout(stepMs)
    const { threadId } = connection
    if (silentMs === stepMs && threadId !== null)
      silentStatements.publish({ threadId, silentMs } satisfies SilentStatement)
  })
}

function timedOut(limitMs: number): Error {
  const error = new Error(`MySQL did not answer a statement for ${limitMs / 1000} s (db_read_timeout)`)
  return Object.assign(error, { code: 'ETIMEDOUT' })
}

/** Whether a statement waits for its answer. The driver does not say so in its types. */
function isBusy(connection: Connection): boolean {
  return Boolean((connection as Connection & { _command?: unknown })._command)
}
