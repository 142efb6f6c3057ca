/** A server cannot be had on this machine; the message says what was tried and what to install. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable'
}

/** What a thrown value says, in one line. */
export function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).trim()
}
