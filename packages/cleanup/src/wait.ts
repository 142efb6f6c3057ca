import { setTimeout as delay } from 'node:timers/promises'
import type { Permit } from '@archiver/core'

/** Waits; ends early when `drain` aborts, throws when the permit is gone. */
export async function wait(ms: number, permit: Permit, drain: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([permit.signal, drain])
  await delay(ms, undefined, { signal }).catch(() => permit.check())
}
