/** Lets one at a time do something under a name; others wait in the order in which they came. */
export class Exclusive {
  readonly #tails = new Map<string, Promise<unknown>>()

  readonly run = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const before = this.#tails.get(name) ?? Promise.resolve()
    const mine = before.then(work, work)
    // Whoever comes next waits for the end, and does not care how it ended.
    const tail = mine.catch(() => undefined)
    this.#tails.set(name, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
    }
  }
}
