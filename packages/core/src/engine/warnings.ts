import type { Archiver } from '../contract/archiver.js'
import type { OnEvent } from './events.js'

/** More different warnings of one process are forgotten, and reported again. */
const MAX_REPORTED = 1_000

/** What this process has reported: a service opens its archivers anew for every pass. */
const reported = new Set<string>()

/** Reports what an archiver warns of, each text once in the life of the process. */
export function reportWarnings(archiver: Archiver, table: string, onEvent: OnEvent): void {
  for (const warning of archiver.takeWarnings?.() ?? []) {
    const key = JSON.stringify([archiver.name, table, warning.code, warning.message])
    if (reported.has(key)) continue
    if (reported.size === MAX_REPORTED) reported.clear()
    reported.add(key)
    onEvent({ event: 'archiver.warning', archiver: archiver.name, error: warning })
  }
}
