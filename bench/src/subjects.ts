import { join } from 'node:path'
import type { Bed } from './bed.js'
import type { Variables } from './launcher.js'
import { avroVariables, inOneAvroBatch } from './runs.js'

/** A way to archive the whole table. */
export interface Subject {
  readonly name: string
  readonly archiver: 'fileavro' | 'clickhouse' | 'gcsavro' | 'bigquery'
  /** Settings for an archive that is empty after a reset. */
  readonly variables: (bed: Bed) => Variables | Promise<Variables>
  /** Why it cannot be measured on this machine. Absent where it always can. */
  readonly missing?: (bed: Bed) => string | undefined
}

const clickHouseBatches = { batch_ch_min_size: '1', batch_ch_max_size: '500000' }

const inOneLoad = { batch_bq_min_size: '1', batch_bq_max_size: '100000000', batch_bq_interval: '0s' }

export const subjects: readonly Subject[] = [
  { name: 'Avro file', archiver: 'fileavro', variables: (bed) => avroVariables(bed) },
  { name: 'Avro file, zstandard', archiver: 'fileavro', variables: (bed) => avroVariables(bed, 'zstandard') },
  {
    name: 'ClickHouse server',
    archiver: 'clickhouse',
    variables: clickHouseVariables,
    missing: ({ clickHouse }) => (typeof clickHouse === 'string' ? clickHouse : undefined),
  },
  {
    name: 'embedded ClickHouse',
    archiver: 'clickhouse',
    variables: ({ folder }) => ({ ch_dsn: `chdb://${join(folder, 'clickhouse')}`, ...clickHouseBatches }),
  },
  {
    name: 'Cloud Storage, one object',
    archiver: 'gcsavro',
    variables: async (bed) => ({ ...(await bed.cloud.emptyBucket()), ...spool(bed), ...inOneAvroBatch }),
    missing: ({ cloud }) => cloud.noStorage,
  },
  {
    name: 'BigQuery, one load',
    archiver: 'bigquery',
    variables: async (bed) => ({ ...(await bed.cloud.emptyDataset()), ...spool(bed), ...inOneLoad }),
  },
]

/** Settings for the ClickHouse server of the bed, in batches of 500,000 rows. @throws Error where there is none. */
export function clickHouseVariables({ clickHouse }: Bed): Variables {
  if (typeof clickHouse === 'string') throw new Error(clickHouse)
  return { ch_dsn: `${clickHouse.url}/default`, ...clickHouseBatches }
}

function spool({ folder }: Bed): Variables {
  return { spool_path: join(folder, 'spool') }
}
