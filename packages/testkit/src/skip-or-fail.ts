import { messageOf, ServiceUnavailable } from './errors.js'

/**
 * For a service that cannot be had: says so and returns the error, so that the caller skips its tests. With CI set, and
 * for any other error, throws it.
 */
export function skipOrFail(thrown: unknown, ci = process.env.CI): ServiceUnavailable {
  if (!(thrown instanceof ServiceUnavailable) || ci) throw thrown
  console.warn(`SKIPPED, because a service cannot be had here. ${messageOf(thrown)}`)
  return thrown
}
