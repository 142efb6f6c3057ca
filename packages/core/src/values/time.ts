import { setTimeout as delay } from 'node:timers/promises'

export const DAY_SECONDS = 86_400
export const DAY_MS = 86_400_000

/** Waits, or throws the reason of the first signal that aborts. */
export async function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  const signal = AbortSignal.any([...signals])
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}
