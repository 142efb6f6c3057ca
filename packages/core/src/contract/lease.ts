/** What work depends on. Whoever runs an adapter decides what it means (a lock is held, no signal was received). */
export interface Lease {
  /** Aborts when waiting must end. Its reason is an Error. */
  readonly signal: AbortSignal
  /** Throws when the work must stop. Adapters call it before every send, rename and commit. */
  assertHeld(): void
}

/** A lease for programs that use an adapter by itself; `signal` ends the work early. */
export function leaseUntil(signal: AbortSignal = new AbortController().signal): Lease {
  return { signal, assertHeld: () => signal.throwIfAborted() }
}

/** A lease that holds while `lease` does and `signal` has not aborted. */
export function leaseWhile(lease: Lease, signal: AbortSignal): Lease {
  const either = AbortSignal.any([lease.signal, signal])
  return {
    signal: either,
    assertHeld() {
      lease.assertHeld()
      signal.throwIfAborted()
    },
  }
}
