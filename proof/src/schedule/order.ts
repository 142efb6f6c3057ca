import type { LockTimes, MySqlSettings } from '@archiver/core/mysql'
import type { ArchiverName } from '../archives.js'
import type { PlannedTrouble, RunSettings } from './schedule.js'

/** One pass that a worker is to make. */
export interface RunOrder {
  readonly mysql: MySqlSettings
  readonly table: string
  readonly folder: string
  readonly dsn: string
  readonly archivers: readonly ArchiverName[]
  readonly settings: RunSettings
  readonly lockTimes: LockTimes
  readonly takeoverWaitMs: number
  readonly trouble: PlannedTrouble | undefined
  readonly freezeMs: number
}

/** What a worker says: that trouble strikes, and whether it waits for an answer; and how the pass ended. */
export type RunnerMessage =
  | { readonly say: 'struck'; readonly trouble: PlannedTrouble; readonly waits: boolean }
  | { readonly say: 'ended'; readonly log: readonly string[]; readonly failures: readonly string[] }
