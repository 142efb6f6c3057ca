import { createBigQueryArchiver } from '@archiver/bigquery'
import { createClickHouseArchiver } from '@archiver/clickhouse'
import type { Archiver } from '@archiver/core'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { createGcsAvroArchiver } from '@archiver/gcs-avro'
import type { ArchiverName } from '../archives.js'
import type { OrderCloud, RunOrder } from './order.js'

/** Scaled: five tries from half a second on, and a minute without an answer, by default. */
const PATIENCE = { tries: 3, firstWaitMs: 10, longestWaitMs: 30, answerLimitMs: 2_000 }

/** The archivers of an order. */
export const OPEN: Readonly<Record<ArchiverName, (order: RunOrder) => Archiver>> = {
  fileavro: (order) => {
    const { codec, rowsPerBlock } = order.settings
    const { places, table } = order
    return createFileAvroArchiver({ path: places.folder, batch: batchOf(order), codec, rowsPerBlock, scope: table })
  },

  clickhouse: (order) => {
    const parts = order.settings.smallParts ? '&min_insert_block_size_rows=1&min_insert_block_size_bytes=1' : ''
    const { dsn } = order.places
    return createClickHouseArchiver({ dsn: dsn + parts, batch: batchOf(order), takeoverWaitMs: order.takeoverWaitMs })
  },

  gcsavro: (order) => {
    const { codec, rowsPerBlock, resumable } = order.settings
    const { bucket, storageUrl } = cloudOf(order)
    return createGcsAvroArchiver({
      ...{ bucket, codec, rowsPerBlock },
      endpoint: storageUrl,
      batch: batchOf(order),
      spoolPath: order.places.spool,
      scope: order.table,
      patience: PATIENCE,
      ...(resumable ? { resumableFromBytes: 1 } : {}),
    })
  },

  bigquery: (order) => {
    const { projectId, dataset, bigQueryUrl, bucket: name, storageUrl: endpoint } = cloudOf(order)
    const { takeoverWaitMs, settings, places, table } = order
    return createBigQueryArchiver({
      ...{ projectId, dataset, takeoverWaitMs },
      emulatorHost: bigQueryUrl,
      batch: batchOf(order),
      spoolPath: places.spool,
      scope: table,
      [settings.viaBucket ? 'viaBucket' : 'formerBucket']: { name, endpoint },
    })
  },
}

function batchOf({ settings: { minRows, maxRows } }: RunOrder) {
  return { minRows, maxRows, intervalMs: 0 }
}

function cloudOf({ places: { cloud } }: RunOrder): OrderCloud {
  if (cloud === undefined) throw new Error('the schedule has no archives in the cloud')
  return cloud
}
