import type { SchemaVersion } from '@archiver/avro'
import type { BatchPolicy } from '@archiver/core'

/** A bucket through which files go to BigQuery. */
export interface ViaBucket {
  readonly name: string
  /** Whose project is billed for the requests; default: the bucket's own. */
  readonly userProject?: string
  /** `gc_endpoint`: where Cloud Storage answers, if not at its public address. */
  readonly endpoint?: string
  /** STORAGE_EMULATOR_HOST, of that name by default: no credentials are asked for then. */
  readonly emulatorHost?: string
}

export interface BigQueryArchiverOptions {
  /** `bq_project`: holds the data set, and its jobs are billed to it. */
  readonly projectId: string
  /** `bq_dataset`. It must exist: where it lies is a decision for ever. */
  readonly dataset: string
  /** Default 200 to 10,000,000 rows, every 10 minutes. */
  readonly batch?: Partial<BatchPolicy>
  /**
   * `avro_schema`: which version of the record is loaded. Default 1. 2 loses nothing: the first load adds its columns to a
   * table that lacks them.
   */
  readonly schema?: SchemaVersion
  /** `archive_expires`: a table or data set with an expiration is accepted. Default false. */
  readonly acceptExpiry?: boolean
  /** GOOGLE_APPLICATION_CREDENTIALS; default: that variable, else what the machine runs as. */
  readonly keyFile?: string
  /** `bq_endpoint`: where BigQuery answers, if not at its public address. */
  readonly endpoint?: string
  /** BIGQUERY_EMULATOR_HOST, of that name by default: no credentials are asked for then. */
  readonly emulatorHost?: string
  /** `bq_max_loads_per_day`: load jobs into one table within 24 hours, failed ones too. Default 1000. */
  readonly maxLoadsPerDay?: number
  /** `bq_via_gcs`: files go through this bucket; without it they are sent to BigQuery itself, 1 GB at most. */
  readonly viaBucket?: ViaBucket
  /**
   * Where files do not go through a bucket (any more): the one that they may have gone through before. What an unfinished
   * batch has left there is removed when the batch is looked up.
   */
  readonly formerBucket?: ViaBucket
  /** Largest file that is sent to BigQuery itself. Default 1 GB: the request must begin anew whenever it breaks. */
  readonly maxUploadBytes?: number
  /** A folder with room for one batch (40 bytes a row). Default: the system's for temporary files. */
  readonly spoolPath?: string
  /** Part of the names of spool files: those of the same scope are swept. Use the name of the lock. Default `archiver`. */
  readonly scope?: string
  /**
   * How long {@link Archiver.findStored} waits for a job that BigQuery may have accepted and not begun
   * (`archive_takeover_wait`). Default 2000.
   */
  readonly takeoverWaitMs?: number
}

export const defaultBatch: BatchPolicy = { minRows: 200, maxRows: 10_000_000, intervalMs: 600_000 }
