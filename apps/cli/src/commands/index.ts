import type { Argv, CommandModule } from 'yargs'
import { nearestName } from '../config/nearest.js'
import { archiveCommand } from './archive.js'
import { configCommand } from './config.js'
import { healthCommand } from './health.js'
import { initCommand } from './init.js'
import { markCommand } from './mark.js'
import { readCommand } from './read.js'
import { restoreCommand } from './restore.js'
import { retryCommand } from './retry.js'
import { runCommand } from './run.js'
import { serveCommand } from './serve.js'
import { skipCommand } from './skip.js'
import { statusCommand } from './status.js'
import { verifyCommand } from './verify.js'

const commands = [
  initCommand,
  archiveCommand,
  runCommand,
  statusCommand,
  retryCommand,
  verifyCommand,
  restoreCommand,
  readCommand,
  serveCommand,
  markCommand,
  skipCommand,
  configCommand,
  healthCommand,
] as const

/** Adds all commands, in the order of `--help`. What one needs to run is imported when it runs. */
export function addCommands(yargs: Argv): Argv {
  // Each command has arguments of its own type, which yargs checks against the command itself.
  return commands.reduce((all, command) => all.command(command as CommandModule), yargs)
}

/** Names the command that a mistyped one most likely stands for. */
export function withSuggestion(message: string, typed: string | undefined): string {
  if (typed === undefined || typed.startsWith('-') || !message.startsWith('Unknown argument')) return message
  const names = commands.map(({ command }) => String(command).split(' ', 1).join())
  if (names.includes(typed)) return message
  const nearest = nearestName(typed, names)
  const asked = nearest === undefined ? '' : `; did you mean ${nearest}?`
  return `there is no command ${JSON.stringify(typed)}${asked}`
}
