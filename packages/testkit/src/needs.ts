import { describe, test } from 'vitest'
import { ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { skipOrFail } from './skip-or-fail.js'

/**
 * What a suite needs, by names of its own: each is looked for, or started, when the file is read. It throws
 * ServiceUnavailable where this machine cannot have it.
 */
export type Needs = Readonly<Record<string, () => Promise<unknown>>>

/** What was found, by the same names. */
export type Found<N extends Needs> = { readonly [Name in keyof N]: Awaited<ReturnType<N[Name]>> }

/** What is missing, as the report of a skipped test has it. */
export interface Missing {
  readonly reason: string
  /** How to get it; may be empty. */
  readonly hint: string
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why the test was skipped: what the machine lacks. */
    missing?: readonly Missing[]
  }
}

/**
 * `describe` for a suite that needs something which a machine may lack: a program, a server, a right. `body` gets what
 * was found. Where something is missing, the whole suite is one skipped test that says what, and `body` is not run; with
 * CI set the file fails. To be awaited at the top of a test file or in an async `describe`.
 */
export async function describeNeeding<N extends Needs>(
  name: string,
  needs: N,
  body: (found: Found<N>) => void | Promise<void>,
): Promise<void> {
  const { found, missing } = await findAll(needs)
  if (found === undefined) skipSuite(name, missing)
  else describe(name, () => body(found))
}

/** What was found, or what is missing. */
type Outcome<N extends Needs> =
  | { readonly found: Found<N>; readonly missing: readonly [] }
  | { readonly found?: undefined; readonly missing: readonly ServiceUnavailable[] }

/** Looks for all of them. @throws with CI set where anything is missing. */
export async function findAll<N extends Needs>(needs: N): Promise<Outcome<N>> {
  const found: Record<string, unknown> = {}
  const missing: ServiceUnavailable[] = []
  for (const [name, find] of Object.entries(needs)) {
    try {
      found[name] = await find()
    } catch (thrown) {
      missing.push(skipOrFail(thrown))
    }
  }
  if (missing.length > 0) return { missing }
  return { found: found as Found<N>, missing: [] } // every name has been found
}

/** One skipped test in the place of a suite. */
export function skipSuite(name: string, errors: readonly ServiceUnavailable[]): void {
  const missing = errors.map(({ reason, hint }) => ({ reason, hint }))
  const title = missing.map(({ reason }) => reason.split('\n')[0]).join('; ')
  console.warn(`SKIPPED: ${name}. ${errors.map(({ message }) => message).join('\n')}`)
  describe(name, () => test.skip(title, { meta: { missing } }, () => {}))
}

/** A program on PATH, or where the system's tools are; `hint` says how to get it. */
export function program(name: string, hint: string): () => Promise<string> {
  return async () => {
    const found = await findExecutable(name)
    if (found) return found
    throw new ServiceUnavailable(`No ${name}: not found on PATH`, { hint })
  }
}

/** Git, and a folder that is a checkout it may read. */
export function gitCheckout(folder: string): () => Promise<string> {
  return async () => {
    const git = await program('git', 'Install it (Debian: apt-get install git).')()
    await runCommand(git, ['ls-files', '--error-unmatch', '.'], process.env, folder).catch((thrown: Error) => {
      const hint = 'Clone the repository with git, as the user that runs the tests.'
      throw new ServiceUnavailable(`No checkout of git in ${folder}: ${thrown.message}`, { hint, cause: thrown })
    })
    return git
  }
}

/** Being root, or a user who may be root in a namespace of his own: the words that a command begins with then. */
export async function rootOfOwn(): Promise<readonly string[]> {
  if (process.getuid?.() === 0) return []
  const unshare = await program('unshare', 'Install it (Debian: apt-get install util-linux).')()
  const words = [unshare, '--map-root-user']
  await runCommand(unshare, ['--map-root-user', 'true']).catch((thrown: Error) => {
    const hint = 'Run the tests as root, or allow namespaces of users (sysctl kernel.unprivileged_userns_clone=1).'
    throw new ServiceUnavailable(`No namespace of a user's own: ${thrown.message}`, { hint, cause: thrown })
  })
  return words
}

/** Being root. */
export async function root(): Promise<true> {
  if (process.getuid?.() === 0) return true
  throw new ServiceUnavailable('Not root: only root can start a program as another user', {
    hint: 'Run the tests as root.',
  })
}
