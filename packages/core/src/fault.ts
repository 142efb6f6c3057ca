/**
 * The places where a crash, a freeze or a lost lock is worth a test, in the order in which a batch passes them.
 * `plan` and `commit` are transactions in MySQL, `store` is the adapter's work (a chunk is about to be handed to it;
 * a file is partly written, is whole, has its name; an insert is partly sent, is answered), `recover` the look at what
 * an unfinished batch has left.
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
  | 'clickhouse.sending'
  | 'clickhouse.sent'
  | 'store.after'
  | 'commit.before'
  | 'commit.after'
  | 'recover.before'
  | 'recover.after'

/** The global under which a test leaves a function; the program never does. */
const HOOK = Symbol.for('@archiver/fault')

/** Does nothing, unless a test has left a hook: then that decides what goes wrong here. It may wait, throw or kill. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  // What lies under the symbol was put there by our own tests.
  const hook = (globalThis as { [HOOK]?: (point: FaultPoint) => void | Promise<void> })[HOOK]
  if (hook !== undefined) await hook(point)
}
