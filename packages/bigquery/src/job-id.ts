import type { IdRange, PlannedBatch } from '@archiver/core'

/** Where a table is. */
export interface TableId {
  readonly projectId: string
  readonly dataset: string
  readonly table: string
}

/**
 * What the ids of all loads into a table begin with. A job id is unique in its project, and every installation counts its
 * own batches: without the data set, two that share a project would take each other's jobs for their own. The hyphen can
 * be in no data set's name.
 */
export function jobPrefixOf({ dataset, table }: Pick<TableId, 'dataset' | 'table'>): string {
  return `archiver_${dataset}-${table.replace(/[^\w-]/g, '-')}_`
}

/** The id of a batch's job; `attempt` is 1, and higher only after that job is known to have failed. */
export function jobIdOf(target: Pick<TableId, 'dataset' | 'table'>, batchId: bigint, attempt: number): string {
  return `${batchPrefixOf(target, batchId)}${attempt}`
}

/** What the ids of all attempts of a batch begin with. */
export function batchPrefixOf(target: Pick<TableId, 'dataset' | 'table'>, batchId: bigint): string {
  return `${jobPrefixOf(target)}${batchId}_`
}

/** Whether a job is a load of ours into the table. */
export function isLoadOf(target: Pick<TableId, 'dataset' | 'table'>, jobId: string): boolean {
  const prefix = jobPrefixOf(target)
  return jobId.startsWith(prefix) && /^\d+_\d+$/.test(jobId.slice(prefix.length))
}

/** What a job says of the rows it loads: small letters, digits, `_` and `-` are all that a label may hold. */
export function labelsOf({ table, id, afterId, upToId }: PlannedBatch, rows: number): Record<string, string> {
  return {
    archiver_table: table
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, '-')
      .slice(0, 63),
    archiver_batch: String(id),
    archiver_range: `${afterId}-${upToId}`,
    archiver_rows: String(rows),
  }
}

/** The range that a job's labels name; undefined for a job that is not ours. */
export function rangeOf(labels: Readonly<Record<string, string>>): IdRange | undefined {
  const found = /^(\d+)-(\d+)$/.exec(labels.archiver_range ?? '')
  return found ? { afterId: BigInt(found[1]!), upToId: BigInt(found[2]!) } : undefined
}
