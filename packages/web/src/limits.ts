/** What a client may take of the service. Everything beyond is refused, counted, and logged now and then. */
export interface Limits {
  readonly urlChars: number
  readonly headerBytes: number
  /** Connections at once. */
  readonly connections: number
  /** Connections of the live page at once. */
  readonly liveClients: number
  /** From the connection, or the request before, to the last byte of the headers. */
  readonly headersMs: number
  /** From the first byte of an answer to its last. */
  readonly answerMs: number
  /** An idle connection is kept open for this long. */
  readonly keepAliveMs: number
  /** What may wait to be sent to one live page. */
  readonly liveBacklogBytes: number
}

export const LIMITS: Limits = {
  urlChars: 1024,
  headerBytes: 8 * 1024,
  connections: 128,
  liveClients: 32,
  headersMs: 5_000,
  answerMs: 30_000,
  keepAliveMs: 5_000,
  liveBacklogBytes: 512 * 1024,
}
