import { ArchiverError } from '@archiver/core'

/** What the process answers to whoever started it. */
export const ExitCode = {
  /** Done, or nothing to do. */
  ok: 0,
  /** An archiver failed, or MySQL is out of reach or refuses. */
  failed: 1,
  /** The command line or the configuration cannot be used; nothing was touched. */
  usage: 2,
  /** Another archiver holds the lock; nothing was touched. */
  lockHeld: 3,
} as const

/** The command line cannot be used; nothing was touched. */
export class UsageError extends Error {}

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ArchiverError)) return ExitCode.failed
  if (error.code === 'CONFIG_INVALID') return ExitCode.usage
  return error.code === 'LOCK_HELD' ? ExitCode.lockHeld : ExitCode.failed
}
