import type { ServiceStatus } from '@archiver/service'
import { type Answer, text } from './answer.js'

/** The process answers: it lives. Whether its work goes well is told elsewhere; a restart would not mend that. */
export function healthz(): Answer {
  return text(200, 'ok')
}

/** Ready: leads or stands by, and MySQL answers. What it lacks is in one line, with what to do. */
export function readyz({ service, mysql }: ServiceStatus): Answer {
  if (service === null || service.role === 'starting') return text(503, 'not ready: starting')
  if (service.role === 'stopping') return text(503, 'not ready: stopping')
  if (mysql.reachable) return text(200, `ready: ${service.role}`)
  const { message, hint } = mysql.error ?? { message: 'it does not answer', hint: null }
  const line = `not ready: MySQL is out of reach: ${message}${hint === null ? '' : `. ${hint}`}`
  return text(503, line.replaceAll(/\s+/g, ' '))
}
