import type { ReplicaChoice, ReplicaSource } from '@archiver/core'

/**
 * Looks at the replicas as a run of the cleaner does. Changes nothing.
 *
 * @returns what keeps their lag from being seen, a sentence for each; empty where nothing does.
 */
export async function unseenReplicas(database: ReplicaSource, choice: ReplicaChoice): Promise<readonly string[]> {
  const watched = await database.replicas(choice)
  if (typeof watched === 'string') return [`replicas cannot be looked for: ${watched}`]
  const unseen: string[] = []
  for (const one of watched) {
    await using replica = one
    const { why } = await replica.lag()
    if (why !== undefined) unseen.push(`replica ${replica.name}: ${why}`)
  }
  return unseen
}
