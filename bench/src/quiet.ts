import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 1000
const QUIET_SHARE = 0.12

/** Waits for quiet moments to measure in, and counts how often there was none. */
export class Quiet {
  readonly #longestMs: number
  #measurements = 0
  #disturbed = 0

  /** @param longestMs how long to wait each time */
  constructor(longestMs: number) {
    this.#longestMs = longestMs
  }

  get measurements(): number {
    return this.#measurements
  }

  /** Measurements that began while others were using the machine, or without a look. */
  get disturbed(): number {
    return this.#disturbed
  }

  /** To be called before each measurement: waits until nothing else uses this machine for a second. */
  async wait(): Promise<void> {
    this.#measurements += 1
    if (!(await isQuietWithin(this.#longestMs))) this.#disturbed += 1
  }
}

async function isQuietWithin(longestMs: number): Promise<boolean> {
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
