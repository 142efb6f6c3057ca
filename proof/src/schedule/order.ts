import type { LockTimes } from '@archiver/core/lock'
import type { MySqlSettings } from '@archiver/mysql'
import type { ArchiverName } from '../archives.js'
import type { CleanerAsks, RunSettings } from './schedule.js'
import type { PlannedTrouble } from './troubles.js'

/** One pass that a worker is to make. */
export interface RunOrder {
  readonly mysql: MySqlSettings
  readonly table: string
  readonly places: OrderPlaces
  readonly archivers: readonly ArchiverName[]
  readonly cleanerAsks: CleanerAsks | undefined
  readonly settings: RunSettings
  readonly lockTimes: LockTimes
  readonly takeoverWaitMs: number
  readonly trouble: PlannedTrouble | undefined
  readonly freezeMs: number
}

/** How the archives are reached. */
export interface OrderPlaces {
  readonly folder: string
  readonly dsn: string
  readonly spool: string
  readonly cloud: OrderCloud | undefined
}

export interface OrderCloud {
  readonly bucket: string
  readonly storageUrl: string
  readonly projectId: string
  readonly dataset: string
  readonly bigQueryUrl: string
  readonly keyFile: string
}

/** What a worker says: that trouble strikes, and whether it waits for an answer; and how the pass ended. */
export type RunnerMessage =
  | { readonly say: 'struck'; readonly trouble: PlannedTrouble; readonly waits: boolean }
  | { readonly say: 'ended'; readonly log: readonly string[]; readonly failures: readonly string[] }
