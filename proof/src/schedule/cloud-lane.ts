import { setTimeout as delay } from 'node:timers/promises'
import { type FakeBigQuery, type FaultAction, spawnFakeBigQuery } from '@archiver/fake-bigquery'
import { type FakeGcsServer, type GcsProxy, startGcsProxy } from '@archiver/testkit'
import { Cloud } from '../cloud.js'
import { TcpProxy } from '../tcp-proxy.js'
import { writeIdentity } from '../workload-identity.js'
import type { Dice } from './random.js'
import type { CloudTrouble } from './troubles.js'

/** How long a held job runs on at most, also when the process that made it has died: into the next run. */
const JOB_MS = 500

/** Google's services for one lane, each behind a proxy. */
export class CloudLane implements AsyncDisposable {
  readonly #storage: FakeGcsServer
  readonly #storageFaults: GcsProxy
  readonly #bigQuery: FakeBigQuery
  readonly #releases: Promise<void>[] = []
  #holding: NodeJS.Timeout | undefined
  readonly storageProxy: TcpProxy
  readonly bigQueryProxy: TcpProxy
  /** For GOOGLE_APPLICATION_CREDENTIALS: Cloud Storage takes requests with its tokens only. */
  readonly keyFile: string

  private constructor(parts: {
    storage: FakeGcsServer
    storageFaults: GcsProxy
    bigQuery: FakeBigQuery
    storageProxy: TcpProxy
    bigQueryProxy: TcpProxy
    keyFile: string
  }) {
    this.#storage = parts.storage
    this.#storageFaults = parts.storageFaults
    this.#bigQuery = parts.bigQuery
    this.storageProxy = parts.storageProxy
    this.bigQueryProxy = parts.bigQueryProxy
    this.keyFile = parts.keyFile
  }

  /** @param folder - for the key file. */
  static async open(storage: FakeGcsServer, folder: string): Promise<CloudLane> {
    const storageFaults = await startGcsProxy(storage.url)
    storageFaults.requireTokens()
    const bigQuery = await spawnFakeBigQuery({ storageUrl: storage.url })
    return new CloudLane({
      storage,
      storageFaults,
      bigQuery,
      storageProxy: await TcpProxy.to(Number(new URL(storageFaults.url).port)),
      bigQueryProxy: await TcpProxy.to(Number(new URL(bigQuery.url).port)),
      keyFile: await writeIdentity(folder, `${storageFaults.url}/token`),
    })
  }

  get projectId(): string {
    return this.#bigQuery.projectId
  }

  /** A bucket and a data set for one schedule. */
  cloudFor(dataset: string): Promise<Cloud> {
    return Cloud.beside(this.#bigQuery, this.#storage, dataset)
  }

  /** Has it happen to the requests that come next. */
  async strike(trouble: CloudTrouble, dice: Dice): Promise<void> {
    const times = dice.between(1, 4)
    const afterBytes = dice.between(1, 1_500)
    switch (trouble) {
      case 'lose answer':
        this.#storageFaults.fail({ on: 'post', kind: 'lose-answer' }, { on: 'send', kind: 'lose-answer' })
        return this.#loadsMeet({ kind: 'lose-response' })
      case 'storm':
        for (const on of ['post', 'begin', 'send'] as const)
          this.#storageFaults.fail({ on, kind: 'answer', status: 503, times })
        return this.#loadsMeet({ kind: 'answer', error: 'backendError' }, times)
      case 'cut body':
        this.#storageFaults.fail({ on: 'post', kind: 'cut', afterBytes }, { on: 'send', kind: 'cut', afterBytes })
        return this.#bigQuery.fail({ on: 'jobs.upload', do: { kind: 'cut-body', afterBytes } })
      case 'expire token':
        this.#storageFaults.expireTokens()
        return this.#loadsMeet({ kind: 'answer', error: 'authError' })
      case 'hold job':
        // It may meet a question to the table instead of a load: then the run itself waits for its end.
        this.#holding = setInterval(() => void this.#bigQuery.release(), JOB_MS)
        return this.#loadsMeet({ kind: 'hold-job', state: dice.pick(['PENDING', 'RUNNING']) })
      case 'fail job':
        return this.#loadsMeet({ kind: 'fail-job', errors: [dice.pick(JOB_ERRORS)] })
    }
  }

  /** Drops what was to happen in a run and has not. */
  async calm(): Promise<void> {
    this.#storageFaults.clearFaults()
    await this.#bigQuery.clearFaults()
    if (this.#holding === undefined) return
    clearInterval(this.#holding)
    this.#holding = undefined
    this.#releases.push(delay(JOB_MS).then(() => this.#bigQuery.release()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#releases)
    await this.storageProxy[Symbol.asyncDispose]()
    await this.bigQueryProxy[Symbol.asyncDispose]()
    await this.#storageFaults[Symbol.asyncDispose]()
    await this.#bigQuery.close()
  }

  /** Whichever way loads come: with their file, or from the bucket. */
  #loadsMeet(action: FaultAction, times = 1): Promise<void> {
    return this.#bigQuery.fail({ on: 'jobs.upload', times, do: action }, { on: 'jobs.insert', times, do: action })
  }
}

/** One that passes, and one that the archiver leaves to the next pass. */
const JOB_ERRORS = [
  { reason: 'backendError', message: 'try again' },
  { reason: 'invalid', message: 'Cannot convert row 77' },
] as const
