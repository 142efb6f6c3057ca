/** For an answer that holds no file. The clients themselves would wait for ever. */
const answerLimitMs = 120_000
/** No byte of a file taken, nor an answer given, for this long. */
const idleLimitMs = 120_000

/** What `work` resolves to, unless that takes too long or the signal aborts: the clients' calls know neither. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const limit = new IdleLimit(answerLimitMs)
  const either = AbortSignal.any([signal, limit.signal])
  try {
    return await new Promise((resolve, reject) => {
      either.addEventListener('abort', () => reject(either.reason), { once: true })
      if (either.aborted) reject(either.reason)
      work.then(resolve, reject)
    })
  } finally {
    limit.end()
  }
}

/** A signal that aborts when nothing was heard for a while. To be ended. */
export class IdleLimit {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(limitMs = idleLimitMs) {
    this.#timer = setTimeout(() => this.#controller.abort(noAnswer(limitMs)), limitMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  touch(): void {
    this.#timer.refresh()
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

function noAnswer(limitMs: number): Error {
  return Object.assign(new Error(`no answer within ${limitMs / 1000} s`), { code: 'ETIMEDOUT' })
}
