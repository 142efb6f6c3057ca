import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

/** Kubernetes swaps links, editors swap files: what is looked at is the content, under its name. */
const LOOK_INTERVAL_MS = 2_000

/**
 * Calls `onChange` when any of the files has changed, come or gone, and then has stayed so for one look: a file that is
 * being written is not read.
 *
 * @param paths - asked each time: there may be others.
 */
export class FileWatch implements Disposable {
  readonly #paths: () => readonly string[]
  readonly #onChange: () => void
  readonly #timer: NodeJS.Timeout
  #told: Prints
  #last: Prints

  constructor(paths: () => readonly string[], onChange: () => void, intervalMs = LOOK_INTERVAL_MS) {
    this.#paths = paths
    this.#onChange = onChange
    this.#told = this.#last = this.#look()
    this.#timer = setInterval(() => this.#compare(), intervalMs)
    this.#timer.unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #compare(): void {
    const now = this.#look()
    const settled = isDeepStrictEqual(now, this.#last)
    this.#last = now
    if (!settled || isDeepStrictEqual(now, this.#told)) return
    this.#told = now
    this.#onChange()
  }

  #look(): Prints {
    return Object.fromEntries(this.#paths().map((path) => [path, printOf(path)]))
  }
}

type Prints = Readonly<Record<string, string>>

function printOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('base64')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable' // fs throws nothing else
  }
}
