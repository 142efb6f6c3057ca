import { join } from 'node:path'
import { ServiceUnavailable } from '@archiver/testkit'
import { findExecutable, goProgram, runCommand } from '@archiver/testkit/tools'
import { skipOrFail, skipSuite } from '@archiver/testkit/vitest'

/** Runs a program to its end. @returns its standard output. @throws Error with the end of its standard error. */
export type Program = (...args: readonly string[]) => Promise<string>

const kustomizeModule = 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1'

/** The one on PATH, otherwise built with Go into the user's cache. @throws ServiceUnavailable where neither can be had. */
export async function kustomize(): Promise<Program> {
  const found = await findExecutable('kustomize')
  const command = found ?? join(await goProgram('kustomize', kustomizeModule), 'kustomize')
  return (...args) => runCommand(command, args)
}

const helmModule = 'helm.sh/helm/v3/cmd/helm@v3.19.5'

/** Like {@link kustomize}; building it takes four minutes of one processor, once. */
export async function helm(): Promise<Program> {
  const found = await findExecutable('helm')
  const command = found ?? join(await goProgram('helm', helmModule), 'helm')
  return (...args) => runCommand(command, args)
}

/** What was found; undefined where it cannot be had, which is a skipped test with the reason. @throws with CI set. */
export async function ifAny<T>(find: () => Promise<T>): Promise<T | undefined> {
  const found = await find().catch((thrown: unknown) => skipOrFail(thrown))
  if (!(found instanceof ServiceUnavailable)) return found
  skipSuite('what needs more', [found])
  return undefined
}
