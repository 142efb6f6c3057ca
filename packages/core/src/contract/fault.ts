/**
 * The places where a crash, a freeze or a lost lock is worth a test. Whoever passes such a place declares it, in a file that the types of its package's index reach:
 *
 * ```ts
 * declare module '@archiver/core' {
 *   interface FaultPoints {
 *     'file.written': true
 *   }
 * }
 * ```
 *
 * Those of the engine, in the order in which a batch passes them: `plan` and `commit` are transactions of the ledger; at
 * `store.chunk` a chunk is about to be handed to the adapter; `recover` is the look-up of what an unfinished batch left. When an
 * archive is verified, the first rows of the source have been read, and none of the archive.
 */
export interface FaultPoints {
  'plan.before': true
  'plan.after': true
  'store.before': true
  'store.chunk': true
  'store.after': true
  'commit.before': true
  'commit.after': true
  'recover.before': true
  'recover.after': true
  'verify.source-read': true
}

export type FaultPoint = keyof FaultPoints

/** The global under which a test leaves a function; the program never does. */
const HOOK = Symbol.for('@archiver/fault')

/** Does nothing, unless a test has left a hook: then that decides what goes wrong here. It may wait, throw or kill. */
export async function faultPoint(point: FaultPoint): Promise<void> {
  // What lies under the symbol was put there by our own tests.
  const hook = (globalThis as { [HOOK]?: (point: FaultPoint) => void | Promise<void> })[HOOK]
  if (hook !== undefined) await hook(point)
}
