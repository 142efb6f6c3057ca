import { archiveNames, checkOnly, openArchiver, type Wiring } from '../archivers.js'
import { answerTo } from './confirmed.js'

export interface Choice {
  /** Those that are named. Empty for the archives that are configured, never the cleaner. */
  readonly names: readonly string[]
  /** Those that are turned on already. */
  readonly on: readonly string[]
  /** Whether somebody may be asked. */
  readonly ask: boolean
}

/** Which archivers to turn on, or to keep on. A person at the terminal is asked, unless all of them are on. */
export async function chooseArchivers(wiring: Wiring, { names, on, ask }: Choice): Promise<readonly string[]> {
  if (names.length > 0) return [...new Set(names)]
  const configured = await configuredArchives(wiring)
  const off = configured.filter((name) => !on.includes(name))
  if (off.length === 0 || !ask || !process.stdin.isTTY) return configured
  const question = `Turn on ${off.join(', ')}? Enter for yes, else the names of those that are wanted, or none: `
  const answer = parseNames(await answerTo(question))
  return answer === null ? configured : [...configured.filter((name) => on.includes(name)), ...answer]
}

/** Names with commas or spaces between; null for consent. @throws UsageError for a name that is no archiver's. */
export function parseNames(answer: string): readonly string[] | null {
  if (/^(y|yes)?$/i.test(answer)) return null
  if (/^(n|no|none)$/i.test(answer)) return []
  const names = answer.split(/[\s,]+/).filter((name) => name !== '')
  checkOnly(names, 'Turn on')
  return [...new Set(names)]
}

async function configuredArchives(wiring: Wiring): Promise<string[]> {
  const names: string[] = []
  for (const name of archiveNames) {
    const archiver = await openArchiver(name, wiring)
    if ('notHere' in archiver) continue
    names.push(name)
    await archiver[Symbol.asyncDispose]()
  }
  return names
}
