import { ServiceUnavailable } from '@archiver/testkit'

/** A service, or in one line why this machine has none. */
export function orWhyNot<Service>(starting: Promise<Service>): Promise<Service | string> {
  return starting.catch((thrown: unknown) => {
    if (thrown instanceof ServiceUnavailable) return thrown.message.split('\n', 1)[0]!
    throw thrown
  })
}
