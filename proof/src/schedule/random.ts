import { seededRandom } from '@archiver/testkit'

/** Decisions out of a seed. */
export class Dice {
  readonly #next: () => number

  constructor(seed: number) {
    // Neighbouring seeds begin alike.
    this.#next = seededRandom(Math.imul(seed, 0x9e3779b1))
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.#next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)]!
  }
}
