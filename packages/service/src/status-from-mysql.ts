import { hostname } from 'node:os'
import { Board } from './board.js'
import { systemClock } from './clock.js'
import type { ServiceConfig } from './config.js'
import { lookAtMySql } from './look.js'
import type { ServiceStatus } from './status.js'

export interface MySqlStatusOptions {
  /** Of the program. */
  readonly version: string
  readonly config: ServiceConfig
}

/**
 * What MySQL alone tells of all archivers: marks, lag, last batches. Needs no service and no lock, changes nothing. Where
 * MySQL is out of reach the status says so.
 */
export async function statusFromMySql({ version, config }: MySqlStatusOptions): Promise<ServiceStatus> {
  const board = new Board({ version, host: hostname(), config, clock: systemClock })
  try {
    const { overview, waiting, batches, skipped, oldestTsSeconds, warnings } = await lookAtMySql(config)
    board.saw(overview, waiting)
    board.sawDetails(batches, skipped, oldestTsSeconds)
    board.sawWarnings(warnings)
  } catch (error) {
    board.setMySqlError(error)
  }
  return { ...board.status(), service: null }
}
