import { ServiceUnavailable } from './errors.js'

/** For something that cannot be had: returns the error, so that the caller skips its tests. With CI set, and for any other error, throws it. */
export function skipOrFail(thrown: unknown, ci = process.env.CI): ServiceUnavailable {
  if (!(thrown instanceof ServiceUnavailable) || (ci && !thrown.alsoInCi)) throw thrown
  return thrown
}
