/**
 * The places where a crash, a freeze or a lost lock is worth a test, in the order in which a batch passes them.
 * `plan` and `commit` are transactions in MySQL, `store` is the adapter's work (a chunk is about to be handed to it;
 * a file is partly written, is whole, has its name; an object is spooled, partly sent, there; an insert is partly sent, is
 * answered; a load is spooled, partly sent, has its job, has ended), `recover` the look at what an unfinished batch has
 * left. The cleaner: a span of ids is verified, a range of it is about to be deleted, is deleted and not committed, is
 * committed; the run is stamped. Verifying: the source's first rows are read and the archive's are not. Restoring: rows are compared
 * and not written.
 */
export type FaultPoint =
  | 'lock.taken'
  | 'plan.before'
  | 'plan.after'
  | 'store.before'
  | 'store.chunk'
  | 'file.written'
  | 'file.synced'
  | 'file.published'
  | 'gcs.spooled'
  | 'gcs.sending'
  | 'gcs.uploaded'
  | 'clickhouse.sending'
  | 'clickhouse.sent'
  | 'bigquery.spooled'
  | 'bigquery.sending'
  | 'bigquery.sent'
  | 'bigquery.loaded'
  | 'store.after'
  | 'commit.before'
  | 'commit.after'
  | 'recover.before'
  | 'recover.after'
  | 'cleanup.verified'
  | 'cleanup.before'
  | 'cleanup.deleted'
  | 'cleanup.after'
  | 'cleanup.stamped'
  | 'verify.source-read'
  | 'restore.compared'

/** The global under which a test leaves a function; the program never does. */
const HOOK = Symbol.for('@archiver/fault')

/** Does nothing, unless a test has left a hook: then that decides what goes wrong here. It may wait, throw or kill. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  // What lies under the symbol was put there by our own tests.
  const hook = (globalThis as { [HOOK]?: (point: FaultPoint) => void | Promise<void> })[HOOK]
  if (hook !== undefined) await hook(point)
}
