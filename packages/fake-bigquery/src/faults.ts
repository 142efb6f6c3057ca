import type { Fault, FaultAction, Operation } from './contract.js'

interface Entry {
  readonly fault: Fault
  toSkip: number
  toMeet: number
}

/** The script of faults. The first entry for an operation is used up before the next one counts. */
export class Faults {
  #entries: Entry[] = []

  add(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#entries.push({ fault, toSkip: fault.skip ?? 0, toMeet: fault.times ?? 1 })
    }
  }

  /** What this request meets, if anything. */
  meet(operation: Operation | 'unknown'): FaultAction | undefined {
    const entry = this.#entries.find((each) => each.fault.on === operation)
    if (!entry) return undefined
    if (entry.toSkip > 0) {
      entry.toSkip--
      return undefined
    }
    entry.toMeet--
    if (entry.toMeet === 0) this.#entries = this.#entries.filter((each) => each !== entry)
    return entry.fault.do
  }

  clear(): number {
    const left = this.#entries.length
    this.#entries = []
    return left
  }
}
