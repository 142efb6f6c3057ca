import { constants } from 'node:os'
import { ArchiverError } from '@archiver/core'

/**
 * SIGTERM and SIGINT. The first asks to stop at the next safe point: the batch in hand is finished if that can be done
 * within `graceMs`. A second one ends the process at once.
 */
export class StopSignals implements Disposable {
  private readonly drained = new AbortController()
  private readonly stopped = new AbortController()
  private readonly graceMs: number
  private readonly onStop: (text: string) => void
  private received: NodeJS.Signals | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(graceMs: number, onStop: (text: string) => void) {
    this.graceMs = graceMs
    this.onStop = onStop
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, this.receive)
  }

  /** Aborts at the first signal: begin nothing more. */
  get drain(): AbortSignal {
    return this.drained.signal
  }

  /** Aborts when the grace period is over: leave what is in hand. */
  get stop(): AbortSignal {
    return this.stopped.signal
  }

  /** 143 or 130 after a signal, as a shell counts them. */
  get exitCode(): number | undefined {
    return this.received === undefined ? undefined : exitCodeFor(this.received)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, this.receive)
  }

  private readonly receive = (signal: NodeJS.Signals): void => {
    if (this.received !== undefined) process.exit(exitCodeFor(signal))
    this.received = signal
    this.onStop(`${signal}: stopping after the batch in hand, in ${this.graceMs / 1000} s at the latest`)
    this.drained.abort(stopError(signal))
    this.timer = setTimeout(() => this.stopped.abort(stopError(signal)), this.graceMs)
  }
}

/** As a shell counts an end by a signal: 143 for SIGTERM, 130 for SIGINT. */
function exitCodeFor(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

function stopError(signal: NodeJS.Signals): ArchiverError {
  return new ArchiverError(`stopped by ${signal}`, {
    code: 'STOPPED',
    hint: 'A batch that was not finished is on record; the next run finishes it.',
  })
}
