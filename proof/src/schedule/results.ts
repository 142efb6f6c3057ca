import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** What came of one schedule. */
export interface SeedResult {
  readonly seed: number
  /** Empty where nothing was wrong. */
  readonly problems: readonly string[]
  readonly seconds: number
  /** What struck, and how often. */
  readonly struck?: Readonly<Record<string, number>>
}

/** How often each kind is among these. */
export function countedKinds(kinds: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** What struck in all of these, as a text: the most frequent first. */
export function struckText(results: readonly SeedResult[]): string {
  const kinds = results.flatMap(({ struck = {} }) => Object.entries(struck))
  const counts: Record<string, number> = {}
  for (const [kind, count] of kinds) counts[kind] = (counts[kind] ?? 0) + count
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return sorted.map(([kind, count]) => `${count} ${kind}`).join(', ')
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
