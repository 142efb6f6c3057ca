import type { CleanupEvent } from '@archiver/cleanup'
import type { EngineEvent } from '@archiver/core/engine'
import type { HistorySample, ServiceStatus } from './status.js'

/**
 * What a running service shows: all in memory, so that looking costs MySQL nothing.
 */
export interface ServiceView {
  status(): ServiceStatus
  /** Oldest first; a few hours, in bounded memory. */
  history(): readonly HistorySample[]
  /** Called after anything of {@link status} has changed; at most some times a second. @returns ends it. */
  onChange(listener: () => void): () => void
  /** What the engine and the cleaner report, as it happens: for counters. @returns ends it. */
  onEvent(listener: (event: ServiceEvent) => void): () => void
}

export type ServiceEvent = EngineEvent | CleanupEvent
