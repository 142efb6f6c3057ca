import type { Permit } from './types.js'

/** A permit for programs that use an adapter by itself; `signal` ends the work early. */
export function permitUntil(signal: AbortSignal = new AbortController().signal): Permit {
  return { signal, check: () => signal.throwIfAborted() }
}
