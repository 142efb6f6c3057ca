import { ArchiverError } from '@archiver/core'
import { googleFailure } from '@archiver/google'
import type { Connection } from './connection.js'

/** A rule of a bucket, as the JSON API gives it (https://cloud.google.com/storage/docs/lifecycle). */
interface LifecycleRule {
  readonly action?: { readonly type?: string }
  readonly condition?: {
    readonly isLive?: boolean
    readonly numNewerVersions?: number
    readonly daysSinceNoncurrentTime?: number
    readonly noncurrentTimeBefore?: string
    readonly matchesPrefix?: readonly string[]
    readonly matchesSuffix?: readonly string[]
  }
}

/**
 * Refuses a bucket whose lifecycle deletes objects of the archive. An account that may not read the bucket's settings
 * (`storage.buckets.get`) cannot tell; then nothing is refused.
 *
 * @param prefix - of the archive's objects.
 * @throws ArchiverError (`GCS_BUCKET_EXPIRES`)
 */
export async function requireLastingBucket(connection: Connection, prefix: string, signal: AbortSignal): Promise<void> {
  const rules = await connection.ask("cannot read the bucket's settings", signal, async (bucket) => {
    try {
      const [{ lifecycle }] = await bucket.getMetadata()
      return (lifecycle?.rule ?? []) as readonly LifecycleRule[] // the library's type has no prefixes
    } catch (thrown) {
      if (googleFailure(thrown).status === 403) return []
      throw thrown
    }
  })
  const rule = rules.find((rule) => deletesFrom(rule, prefix))
  if (rule === undefined) return
  throw new ArchiverError(
    `${connection.name} deletes objects of the archive: its lifecycle has the rule ${JSON.stringify(rule)}`,
    {
      code: 'GCS_BUCKET_EXPIRES',
      archiver: 'gcsavro',
      hint: 'Remove the rule, or limit it to a prefix without archives; or, where it is wanted, set archive_expires=ok.',
    },
  )
}

function deletesFrom({ action, condition = {} }: LifecycleRule, prefix: string): boolean {
  if (action?.type !== 'Delete') return false
  const { isLive, numNewerVersions, daysSinceNoncurrentTime, noncurrentTimeBefore, matchesPrefix, matchesSuffix } =
    condition
  // These conditions hold for versions that were replaced or deleted before.
  if (isLive === false || [numNewerVersions, daysSinceNoncurrentTime, noncurrentTimeBefore].some((value) => value))
    return false
  const isOther = (other: string) => !other.startsWith(prefix) && !prefix.startsWith(other)
  if (matchesPrefix?.length && matchesPrefix.every(isOther)) return false
  return !matchesSuffix?.length || matchesSuffix.some((suffix) => '.avro'.endsWith(suffix) || suffix.endsWith('.avro'))
}
