/** What a service reports of itself. Names are stable; the CLI logs them as they are. */
export type LifeEvent =
  | { readonly event: 'service.started'; readonly table: string; readonly lock: string }
  | {
      readonly event: 'service.leading'
      readonly lock: string
      /** What the lock lacks, a sentence: see `LockNames.shared`. Absent where it lacks nothing. */
      readonly warning?: string
    }
  | { readonly event: 'service.standby'; readonly lock: string; readonly holder: string }
  | { readonly event: 'service.lock-lost'; readonly error: Error }
  /** MySQL is out of reach, or refuses; tried again for ever. */
  | { readonly event: 'service.failing'; readonly error: Error; readonly delayMs: number }
  /** A look at the marks failed; the lock is held. */
  | { readonly event: 'service.look-failed'; readonly error: Error }
  | { readonly event: 'service.reloaded'; readonly text: string }
  | { readonly event: 'service.reload-refused'; readonly text: string }
  | { readonly event: 'service.stopped' }
