import { createInterface } from 'node:readline/promises'
import { UsageError } from '../exit-codes.js'

/** Whether the person at the terminal agrees. @throws UsageError where there is none. */
export async function confirmed(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await answerTo(`${question} [y/N] `))
}

/** What the person at the terminal says. @throws UsageError where there is none. */
export async function answerTo(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('there is nobody to ask: add --yes')
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await asking.question(question)
  asking.close()
  return answer.trim()
}
