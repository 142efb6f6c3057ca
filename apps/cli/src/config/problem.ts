import { ArchiverError } from '@archiver/core'

/** One thing that is wrong in the settings. Never holds a secret. */
export interface Problem {
  /** The variable's name, or the file or option at fault. */
  readonly variable: string
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
}

/** The settings or the command line cannot be used: exit 2. Names everything that is wrong, a line each. */
export class ConfigError extends ArchiverError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(`the configuration cannot be used\n${problems.map((problem) => `  ${problemText(problem)}`).join('\n')}`, {
      code: 'CONFIG_INVALID',
      hint: '`archiver config` prints every value and where it comes from',
    })
    this.problems = problems
  }
}

/** One line: variable, what is wrong, what to do. */
export function problemText({ variable, message, hint }: Problem): string {
  return `${variable}: ${message}${hint === undefined ? '' : ` (${hint})`}`
}

/** A value that does not fit. The message completes "the value …" and never repeats the value: it may be a secret. */
export class UnfitValue extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
