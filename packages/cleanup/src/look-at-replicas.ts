import type { MySqlSettings } from '@archiver/mysql'
import type { Connection } from 'mysql2'
import type { ThrottlePolicy } from './options.js'
import { watchedReplicas } from './replicas.js'

/**
 * Looks at the replicas as a run of the cleaner does. Changes nothing.
 *
 * @returns what keeps their lag from being seen, a sentence for each; empty where nothing does.
 */
export async function unseenReplicas(
  source: Connection,
  settings: MySqlSettings,
  policy: Pick<ThrottlePolicy, 'replicas' | 'ignoredReplicas'>,
): Promise<readonly string[]> {
  const watched = await watchedReplicas(source, settings, policy)
  if (typeof watched === 'string') return [`replicas cannot be looked for: ${watched}`]
  const unseen: string[] = []
  for (const one of watched) {
    await using replica = one
    const { why } = await replica.lag()
    if (why !== undefined) unseen.push(`replica ${replica.name}: ${why}`)
  }
  return unseen
}
