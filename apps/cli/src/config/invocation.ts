import { basename } from 'node:path'
import type { SettingsSource } from './layers.js'

/** The Go program's image has its loop under this name, and the pool's chart starts it. */
const LOOP_NAME = 'archive-continuously'

/** How the program was called. */
export interface Invocation {
  /** For the command line: the words after the program's name. */
  readonly args: readonly string[]
  /** Whether it was called as {@link LOOP_NAME}: files of secrets are shell syntax and win over the environment. */
  readonly asLoop: boolean
}

/**
 * Called as `archive-continuously`, or with that as the first word, it is `archiver run` with the rules of the Go program's
 * loop. Another command may follow, which then reads its settings by the same rules: `archive-continuously status`.
 */
export function invocationOf(programName: string, words: readonly string[]): Invocation {
  const named = words[0] === LOOP_NAME
  const rest = named ? words.slice(1) : words
  if (!named && basename(programName) !== LOOP_NAME) return { args: words, asLoop: false }
  const namesCommand = rest[0] !== undefined && (!rest[0].startsWith('-') || rest[0] === '--version')
  return { args: namesCommand ? rest : ['run', ...rest], asLoop: true }
}

/** As it was at the start: what files of secrets export later must not be expanded a second time. */
let environment: Readonly<Record<string, string | undefined>> | undefined

/** From now on settings are read as the Go program's loop reads them. */
export function readSettingsAsLoop(): void {
  environment = { ...process.env }
}

/** Where this process reads its settings from. */
export function processSource(configFile?: string): SettingsSource {
  const asLoop = environment !== undefined
  return { env: environment ?? process.env, cwd: process.cwd(), configFile, asLoop }
}
