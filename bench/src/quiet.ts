import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 1000
const QUIET_SHARE = 0.12

/**
 * Waits until nothing else uses this machine for a second, but not longer than `longestMs`.
 *
 * @returns whether it is quiet; not known where there is no time to look.
 */
export async function quiet(longestMs: number): Promise<boolean> {
  const endMs = performance.now() + longestMs
  while (performance.now() < endMs) {
    const before = cpuTimes()
    await delay(LOOK_MS)
    const after = cpuTimes()
    if ((after.busy - before.busy) / (after.all - before.all) < QUIET_SHARE) return true
  }
  return false
}

function cpuTimes(): { busy: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const all = times.flatMap((of) => Object.values(of)).reduce((sum, ms) => sum + ms, 0)
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) }
}
