import type { Codec, SchemaVersion } from '@archiver/avro'
import { type BatchPolicy, DAY_MS } from '@archiver/core'

export interface GcsAvroOptions {
  /** `gc_bucket`. It must exist. */
  readonly bucket: string
  /** `gc_project`: billed for the requests (`userProject`). Default: the project of the bucket. */
  readonly userProject?: string
  /** `gc_content_type`. Default `avro/binary`. */
  readonly contentType?: string
  /** `gc_cache_control`. Default `public, max-age=157248000`. */
  readonly cacheControl?: string
  /** `app_default_table`: its objects are `<year>/…`, those of any other table `<table>/<year>/…`. Default `log_scores`. */
  readonly defaultTable?: string
  /** `archive_expires`: a bucket whose lifecycle deletes objects of the archive is accepted. Default false. */
  readonly acceptExpiry?: boolean
  /** Default 500,000 to 10,000,000 rows, every 24 hours. */
  readonly batch?: Partial<BatchPolicy>
  /** `avro_schema`: which version of the record. Default 1; 2 loses nothing. Objects of either version are read. */
  readonly schema?: SchemaVersion
  /** `avro_codec`. Default `null`: not compressed. */
  readonly codec?: Codec
  /** `batch_avro_append_size`. Default 50,000. */
  readonly rowsPerBlock?: number
  /** GOOGLE_APPLICATION_CREDENTIALS; default: that variable, else what the machine runs as. */
  readonly keyFile?: string
  /** `gc_endpoint`: where Cloud Storage answers, if not at its public address. */
  readonly endpoint?: string
  /** An emulator instead of Cloud Storage: no credentials are asked for. Default: STORAGE_EMULATOR_HOST. */
  readonly emulatorHost?: string
  /** `spool_path`: a folder with room for one batch, 40 bytes a row (70 with version 2). Default: the system's for temporary files. */
  readonly spoolPath?: string
  /**
   * Part of the names of spool files; {@link Archiver.prepare} removes those of its own scope and table only. Use the name
   * of the lock. Default `archiver`.
   */
  readonly scope?: string
  /** Objects from this size on are sent so that an upload can be resumed, smaller ones in one request. Default 8 MiB. */
  readonly resumableFromBytes?: number
  /** When requests are given up, and tried again. */
  readonly patience?: Partial<Patience>
}

/** How requests are waited for and repeated. What takes longer is for the engine, which plans with longer waits. */
export interface Patience {
  /** Tries of a request in a row. Default 5. */
  readonly tries: number
  /** Before the second try; doubled each time, half of it left to chance. Default 500. */
  readonly firstWaitMs: number
  /** Default 8000. */
  readonly longestWaitMs: number
  /** A request, or a transfer in which no byte moves, is given up after this. Default 60,000. */
  readonly answerLimitMs: number
}

export const defaultBatch: BatchPolicy = { minRows: 500_000, maxRows: 10_000_000, intervalMs: DAY_MS }

export const defaultPatience: Patience = { tries: 5, firstWaitMs: 500, longestWaitMs: 8_000, answerLimitMs: 60_000 }
