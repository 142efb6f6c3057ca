import type { ServiceStatus } from '@archiver/service'
import { serviceUrl } from './service-url.js'

/** The service is on this host, and answers from memory. */
const ANSWER_MS = 1_000

/**
 * What a service on this host tells of itself; null where none answers in time, or something else does: another program,
 * or a service for another table.
 */
export async function askService(
  listen: string,
  { database, table }: { readonly database: string; readonly table: string },
): Promise<ServiceStatus | null> {
  const url = serviceUrl(listen)
  if (url === null) return null
  try {
    const init = { signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' } as const
    const response = await fetch(`${url}/api/status`, init)
    const answer: unknown = response.ok ? await response.json() : null
    return isStatus(answer) && answer.database === database && answer.table === table ? answer : null
  } catch {
    return null
  }
}

/** By what nothing else would answer; a service of another version may tell more, or less. */
function isStatus(answer: unknown): answer is ServiceStatus {
  if (typeof answer !== 'object' || answer === null) return false
  const { health, archivers, mysql, service } = answer as Partial<ServiceStatus> // looked at before it is believed
  return (
    typeof health === 'string' && Array.isArray(archivers) && typeof mysql === 'object' && typeof service === 'object'
  )
}
