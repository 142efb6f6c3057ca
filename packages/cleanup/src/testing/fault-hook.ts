import type { FaultPoint } from '@archiver/core'

/** Calls `hook` at every fault point until the work is over. */
export async function withFaultHook<T>(hook: (point: FaultPoint) => void | Promise<void>, work: () => Promise<T>) {
  // What a test leaves under this symbol is called at each fault point.
  const hooks = globalThis as { [key: symbol]: typeof hook | undefined }
  const name = Symbol.for('@archiver/fault')
  hooks[name] = hook
  try {
    return await work()
  } finally {
    hooks[name] = undefined
  }
}
