import { setTimeout as delay } from 'node:timers/promises'
import type { Lease } from '@archiver/core'

/** Waits; ends early when `drain` aborts, throws when the lease is gone. */
export async function wait(ms: number, lease: Lease, drain: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([lease.signal, drain])
  await delay(ms, undefined, { signal }).catch(() => lease.assertHeld())
}
