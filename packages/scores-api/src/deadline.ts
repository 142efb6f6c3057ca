import type { ServerResponse } from 'node:http'

/** Until when a page may take: its time, or as long as somebody waits for it. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal
  readonly #response: ServerResponse
  readonly #timeout: AbortSignal
  readonly #closed = new AbortController()

  constructor(response: ServerResponse, timeoutMs: number) {
    this.#response = response
    this.#timeout = AbortSignal.timeout(timeoutMs)
    this.signal = AbortSignal.any([this.#timeout, this.#closed.signal])
    response.once('close', this.#onClose)
    this.#timeout.addEventListener('abort', this.#onTimeout, { once: true })
  }

  get isPast(): boolean {
    return this.#timeout.aborted
  }

  [Symbol.dispose](): void {
    this.#response.off('close', this.#onClose)
    this.#timeout.removeEventListener('abort', this.#onTimeout)
  }

  readonly #onClose = (): void => this.#closed.abort(new Error('the connection was closed'))

  /** A write may be waiting for a client who takes nothing. */
  readonly #onTimeout = (): void => {
    if (this.#response.headersSent) this.#response.destroy()
  }
}
