import { createInterface } from 'node:readline/promises'
import { UsageError } from '../exit-codes.js'

/** Asks the person at the terminal. @throws UsageError where there is none. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('there is nobody to ask: add --yes')
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await asking.question(`${question} [y/N] `)
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}
