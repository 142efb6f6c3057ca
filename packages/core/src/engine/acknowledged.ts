import { type Acknowledged, unacknowledged } from '../contract/unarchived.js'
import type { EngineEvent } from './events.js'

/** The event without the columns and keys that may be lost; null where nothing is left of it. */
export function unlessAcknowledged(event: EngineEvent, acknowledged: Acknowledged | undefined): EngineEvent | null {
  if (event.event !== 'batch.unarchived') return event
  const unarchived = unacknowledged(event.unarchived, acknowledged)
  return unarchived === null ? null : { ...event, unarchived }
}
