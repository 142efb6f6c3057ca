import { Worker } from 'node:worker_threads'
import type { RunnerMessage, RunOrder } from './order.js'
import type { PlannedTrouble } from './troubles.js'

/** How a pass ended; undefined where its worker died. */
export interface RunReport {
  readonly log: readonly string[]
  readonly failures: readonly string[]
}

const script = new URL('../../bundle/runner.js', import.meta.url)

/** Workers that wait for a pass to make; those that die are replaced. */
export class Runners {
  readonly #idle: Worker[] = []

  /**
   * Makes one pass.
   *
   * @param onStruck - does what the order's trouble asks for; a pass that waits for it goes on when it resolves.
   */
  async run(order: RunOrder, onStruck: (trouble: PlannedTrouble) => Promise<void>): Promise<RunReport | undefined> {
    const worker = this.#idle.pop() ?? new Worker(script, { workerData: new SharedArrayBuffer(4) })
    let struck = Promise.resolve()
    const report = await new Promise<RunReport | undefined>((resolve, reject) => {
      worker.once('error', (cause) => reject(crashed(order, cause))).once('exit', () => resolve(undefined))
      worker.on('message', (said: RunnerMessage) => {
        if (said.say === 'ended') return resolve(said)
        struck = onStruck(said.trouble).then(() => {
          if (said.waits) worker.postMessage('go on')
        })
        struck.catch(reject)
      })
      worker.postMessage(order)
    })
    await struck
    // Without a name it would take the worker's own listeners off as well.
    for (const event of ['error', 'exit', 'message']) worker.removeAllListeners(event)
    if (report !== undefined) this.#idle.push(worker)
    return report
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.map((worker) => worker.terminate()))
  }
}

/** An error that nobody caught: it would have ended the program with a stack trace. */
function crashed({ table, trouble }: RunOrder, cause: unknown): Error {
  const what = trouble === undefined ? 'no trouble' : `${trouble.trouble} at ${trouble.point}, pass ${trouble.pass}`
  return new Error(`uncaught in schedule ${table}, ${what}: ${String(cause)}`, { cause })
}
