import type { MySqlSettings } from '@archiver/core/mysql'
import type { Connection } from 'mysql2'
import type { ReplicaAddress } from './options.js'
import { findReplicas, Replica } from './replicas.js'

/**
 * Looks at the replicas as a run of the cleaner does. Changes nothing.
 *
 * @param replicas - empty for those that the source knows of.
 * @returns what keeps their lag from being seen, a sentence for each; empty where nothing does.
 */
export async function unseenReplicas(
  source: Connection,
  settings: MySqlSettings,
  replicas: readonly ReplicaAddress[],
): Promise<readonly string[]> {
  const found = replicas.length > 0 ? replicas : await findReplicas(source)
  if (typeof found === 'string') return [`replicas cannot be looked for: ${found}`]
  const unseen: string[] = []
  for (const address of found) {
    await using replica = new Replica(address, settings)
    const { why } = await replica.lag()
    if (why !== undefined) unseen.push(`replica ${replica.name}: ${why}`)
  }
  return unseen
}
