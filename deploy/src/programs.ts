import { join } from 'node:path'
import { ServiceUnavailable } from '@archiver/testkit'
import { fetchOnce, findExecutable, runCommand } from '@archiver/testkit/tools'
import { skipOrFail } from '@archiver/testkit/vitest'

/** Runs a program to its end. @returns its standard output. @throws Error with the end of its standard error. */
export type Program = (...args: readonly string[]) => Promise<string>

/** The program, or undefined where it cannot be had, which is said. @throws with CI set. */
export async function ifAny<T>(find: () => Promise<T>): Promise<T | undefined> {
  const found = await find().catch((thrown: unknown) => skipOrFail(thrown))
  return found instanceof ServiceUnavailable ? undefined : found
}

const kustomizeVersion = 'v5.8.1'

/** The one on PATH, otherwise built with Go into the user's cache. */
export async function kustomize(): Promise<Program> {
  const found = await findExecutable('kustomize')
  const command =
    found ?? join(await goProgram('kustomize', `sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion}`), 'kustomize')
  return (...args) => runCommand(command, args)
}

const helmVersion = 'v3.19.5'

/** The one on PATH, otherwise built with Go into the user's cache: four minutes of one processor, once. */
export async function helm(): Promise<Program> {
  const found = await findExecutable('helm')
  const command = found ?? join(await goProgram('helm', `helm.sh/helm/v3/cmd/helm@${helmVersion}`), 'helm')
  return (...args) => runCommand(command, args)
}

async function goProgram(name: string, module: string): Promise<string> {
  const go = await findExecutable('go')
  if (!go) throw new ServiceUnavailable(`No ${name}: not found on PATH, and this machine has no Go to build it with`)
  return fetchOnce(`${name}-${module.split('@')[1]}`, async (work) => {
    const folders = { GOPATH: join(work, 'go'), GOBIN: join(work, 'bin'), GOCACHE: join(work, 'cache') }
    const env = { ...process.env, ...folders, GOFLAGS: '-modcacherw', CGO_ENABLED: '0' }
    await runCommand(go, ['install', '-ldflags=-s -w', module], env)
    return folders.GOBIN
  })
}
