import type { LifeEvent } from '@archiver/service'
import { errorLine } from './error-lines.js'

/** What a service reports of itself, in one sentence. */
export function lifeLine(event: LifeEvent): string {
  switch (event.event) {
    case 'service.started':
      return `service started for ${event.table}`
    case 'service.leading':
      return `leading: the lock ${event.lock} is taken${event.warning === undefined ? '' : `; ${event.warning}`}`
    case 'service.standby':
      return `standing by: the lock ${event.lock} is held by ${event.holder}`
    case 'service.lock-lost':
      return `${event.error.message}; nothing more is done until it is taken again`
    case 'service.failing':
      return `${errorLine(event.error)}; trying again in ${event.delayMs} ms`
    case 'service.look-failed':
      return errorLine(event.error)
    case 'service.reloaded':
    case 'service.reload-refused':
      return event.text
    case 'service.stopped':
      return 'service stopped'
  }
}
