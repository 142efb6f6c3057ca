import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** What came of one schedule. */
export interface SeedResult {
  readonly seed: number
  /** Empty where nothing was wrong. */
  readonly problems: readonly string[]
  readonly seconds: number
}

/** The results of schedules in a file, a line each, so that a run that was interrupted goes on where it was. */
export class SeedResults {
  readonly #path: string | undefined
  readonly #known: ReadonlySet<number>

  /** @param path - undefined: nothing is kept. */
  constructor(path: string | undefined) {
    this.#path = path
    this.#known = new Set(readResults(path).map(({ seed }) => seed))
  }

  has(seed: number): boolean {
    return this.#known.has(seed)
  }

  add(result: SeedResult): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(result)}\n`)
  }
}

/** The results in a file; none where there is no file. A line that was cut off by a crash counts as not there. */
export function readResults(path: string | undefined): SeedResult[] {
  if (path === undefined || !existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').flatMap(parsed)
}

function parsed(line: string): SeedResult[] {
  try {
    return [JSON.parse(line) as SeedResult] // written by SeedResults.add
  } catch {
    return []
  }
}
