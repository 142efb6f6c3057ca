import type { Permit } from './types.js'

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
