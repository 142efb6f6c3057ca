import { setTimeout as delay } from 'node:timers/promises'
import { type ErrorPlace, pause } from '@archiver/core'
import { backoffMs } from '@archiver/core/engine'
import { GOOGLE_KEY_VARIABLE, googleFailure, requireGoogleKeyFile } from '@archiver/google'
import type { Bucket } from '@google-cloud/storage'
import { defaultPatience, type GcsAvroOptions, type Patience } from './options.js'
import { storageError } from './storage-errors.js'

/** What ended a request is no failure of it: the reason is thrown as it is, and nothing tried again. */
export class Stopped extends Error {
  readonly reason: unknown

  constructor(reason: unknown) {
    super('stopped')
    this.reason = reason
  }
}

/** The bucket and the client that reaches it, loaded at the first call. */
export class Connection {
  readonly name: string
  readonly userProject: string | undefined
  readonly patience: Patience
  readonly #options: GcsAvroOptions
  readonly #keyFile: string | undefined
  readonly #emulator: string | undefined
  #bucket: Promise<Bucket> | undefined

  constructor(options: GcsAvroOptions) {
    this.#options = options
    this.name = `gs://${options.bucket}`
    this.userProject = options.userProject || undefined
    this.patience = { ...defaultPatience, ...options.patience }
    this.#keyFile = options.keyFile || process.env[GOOGLE_KEY_VARIABLE] || undefined
    this.#emulator = options.emulatorHost || process.env.STORAGE_EMULATOR_HOST || undefined
  }

  /** Without connecting: is the key file there, where one is named? */
  async check(): Promise<void> {
    if (this.#keyFile !== undefined && this.#emulator === undefined) await requireGoogleKeyFile(this.#keyFile)
  }

  /** Like {@link call}, for what is answered at once or not at all. */
  ask<T>(doing: string, signal: AbortSignal, ask: (bucket: Bucket) => Promise<T>, place: ErrorPlace = {}): Promise<T> {
    return this.call(doing, signal, (bucket) => this.within(signal, ask(bucket)), place)
  }

  /** What the library answers, unless that takes too long or the signal aborts: its calls know neither. */
  async within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    const { answerLimitMs } = this.patience
    const end = new AbortController()
    const waiting = delay(answerLimitMs, undefined, { signal: AbortSignal.any([end.signal, signal]) })
    const late = waiting.then(() => Promise.reject(new Error(`no answer within ${answerLimitMs / 1000} s: timeout`)))
    try {
      return await Promise.race([work, late])
    } finally {
      end.abort()
      late.catch(() => {})
      work.catch(() => {})
    }
  }

  /**
   * Asks Cloud Storage for something that may be asked again, and asks again for as long as {@link Patience} has it. A
   * token that is refused is exchanged for a new one once.
   *
   * @throws ArchiverError that begins with `doing`; the signal's reason; what {@link Stopped} holds.
   */
  async call<T>(
    doing: string,
    signal: AbortSignal,
    ask: (bucket: Bucket) => Promise<T>,
    place: ErrorPlace = {},
  ): Promise<T> {
    const { tries } = this.patience
    for (let attempt = 1, renewed = false; ; attempt++) {
      signal.throwIfAborted()
      try {
        this.#bucket ??= open(this.#options, this.#emulator, this.#keyFile, this.patience)
        return await ask(await this.#bucket)
      } catch (thrown) {
        if (thrown instanceof Stopped) throw thrown.reason
        signal.throwIfAborted()
        const error = storageError(thrown, `${this.name}: ${doing}`, place)
        const renewable = googleFailure(thrown).status === 401 && !renewed
        if (attempt >= tries || !(error.retryable || renewable)) throw error
        if (renewable) {
          renewed = true
          this.#bucket = undefined
        }
      }
      await this.#pause(attempt, signal)
    }
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const { firstWaitMs: firstDelayMs, longestWaitMs: maxDelayMs } = this.patience
    await pause(backoffMs({ firstDelayMs, maxDelayMs }, attempt + 1), signal)
  }
}

async function open(
  { bucket, userProject, endpoint }: GcsAvroOptions,
  emulator: string | undefined,
  keyFile: string | undefined,
  { answerLimitMs }: Patience,
): Promise<Bucket> {
  const [{ Storage }, { PassThroughClient }] = await Promise.all([
    import('@google-cloud/storage'),
    import('google-auth-library'),
  ])
  const address = emulator ? addressOf(emulator, 'http') : addressOf(endpoint || 'storage.googleapis.com', 'https')
  const storage = new Storage({
    apiEndpoint: address,
    ...(emulator ? { authClient: new PassThroughClient() } : {}),
    // The library finds the file of the environment by itself, and warns on the console of any other.
    ...(keyFile && keyFile !== process.env[GOOGLE_KEY_VARIABLE] && !emulator ? { keyFilename: keyFile } : {}),
    // No request of ours says it. Without one the library asks gcloud and the metadata server, for seconds.
    projectId: userProject || 'none',
    useAuthWithCustomEndpoint: true,
    // It repeats from what it has in memory, and without asking whether there still is leave to: Connection.call does it.
    retryOptions: { autoRetry: false },
    timeout: answerLimitMs,
  })
  // With STORAGE_EMULATOR_HOST in the environment the library asks there, whatever it is told, and for /b/… .
  storage.baseUrl = `${address}/storage/v1`
  return storage.bucket(bucket, userProject ? { userProject } : {})
}

function addressOf(text: string, scheme: string): string {
  const address = /^\w+:\/\//.test(text) ? text : `${scheme}://${text}`
  return address.replace(/\/+$/, '').replace(/\/storage\/v1$/, '')
}
