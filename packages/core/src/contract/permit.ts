/** Leave to go on. Whoever runs an adapter decides what it means (a lock still held, no signal received). */
export interface Permit {
  /** Aborts when waiting must end. Its reason is an Error. */
  readonly signal: AbortSignal
  /** Throws when the work must stop. Adapters call it before every send, rename and commit. */
  check(): void
}

/** A permit for programs that use an adapter by itself; `signal` ends the work early. */
export function permitUntil(signal: AbortSignal = new AbortController().signal): Permit {
  return { signal, check: () => signal.throwIfAborted() }
}

/** A permit that holds while `permit` does and `signal` has not aborted. */
export function permitWhile(permit: Permit, signal: AbortSignal): Permit {
  const either = AbortSignal.any([permit.signal, signal])
  return {
    signal: either,
    check() {
      permit.check()
      signal.throwIfAborted()
    },
  }
}
