import type { Codec, SchemaVersion } from '@archiver/avro'
import { type BatchPolicy, DAY_MS } from '@archiver/core'

export interface FileAvroOptions {
  /** The folder of the files. One folder holds one source table. */
  readonly path: string
  /** When a batch is due; default 500,000 to 10,000,000 rows, every 24 hours. */
  readonly batch?: Partial<BatchPolicy>
  /** Which version of the record. Default 1; 2 loses nothing. Files of either version are read. */
  readonly schema?: SchemaVersion
  /** Default `null`: not compressed. */
  readonly codec?: Codec
  /** Default 50,000. */
  readonly rowsPerBlock?: number
  /**
   * Part of the names of temporary files; {@link Archiver.prepare} removes those of its own scope only. Whoever shares
   * the folder must have another one: use the name of the lock. Default `archiver`.
   */
  readonly scope?: string
  /** Create the folder where it is missing, in one that exists. Default false. */
  readonly createPath?: boolean
  /** What errors call `path`; default `avro_path`, the variable it comes from. */
  readonly pathName?: string
}

export const defaultBatch: BatchPolicy = { minRows: 500_000, maxRows: 10_000_000, intervalMs: DAY_MS }
