import { harmlessText } from '@archiver/core'
import type { FailureState, ServiceStatus } from '@archiver/service'
import { type Answer, text } from './answer.js'

/** The process answers: it lives. Whether its work goes well is told elsewhere; a restart would not mend that. */
export function healthz(): Answer {
  return text(200, 'ok')
}

/**
 * Ready: leads or stands by, and MySQL answers. What it lacks is in one line, with what to do. An archive that fails is no
 * reason to take the service away, but is told: a line for each.
 */
export function readyz({ service, mysql, archivers, cleanup }: ServiceStatus): Answer {
  if (service === null) return text(503, 'not ready: starting')
  if (service.role === 'stopping') return text(503, 'not ready: stopping')
  // A start that cannot go on for want of MySQL says so; one that has not got there yet has no answer, and no error.
  const starting = service.role === 'starting'
  if (starting && (mysql.reachable || mysql.error === null)) return text(503, 'not ready: starting')
  if (!mysql.reachable) return text(503, line('not ready: MySQL is out of reach', mysql.error ?? NO_ANSWER))
  const failing = [...archivers, ...(cleanup === null ? [] : [{ archiver: 'cleanup', ...cleanup }])]
  const lines = failing.flatMap(({ archiver, error }) => (error === null ? [] : [line(`${archiver} fails`, error)]))
  return text(200, [`ready: ${service.role}`, ...lines].join('\n'))
}

const NO_ANSWER = { message: 'it does not answer', hint: null }

function line(what: string, { message, hint }: Pick<FailureState, 'message' | 'hint'>): string {
  return harmlessText(`${what}: ${message}${hint === null ? '' : `. ${hint}`}`)
}
