/** An iterable that remembers how it failed, because who consumes it may report only the consequence. */
export class Watched<T> implements AsyncIterable<T> {
  readonly #items: AsyncIterable<T>
  failure: { readonly thrown: unknown } | undefined

  constructor(items: AsyncIterable<T>) {
    this.#items = items
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      yield* this.#items
    } catch (thrown) {
      this.failure = { thrown }
      throw thrown
    }
  }
}
