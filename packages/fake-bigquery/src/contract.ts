/**
 * What the fake of BigQuery's REST surface offers to tests. It answers as the published contract says (see README.md),
 * not as a client would like it, and reads the Avro it is sent with ClickHouse, not with code of ours.
 *
 * Everything here is plain data, so that the fake can run in the test's process ({@link startFakeBigQuery}) or in one of
 * its own that outlives its clients ({@link spawnFakeBigQuery}), behind the same interface.
 */
export interface FakeBigQuery extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: for `BIGQUERY_EMULATOR_HOST` or `apiEndpoint`. */
  readonly url: string
  readonly projectId: string
  /** Of the fake's process. */
  readonly pid: number
  createDataset(dataset: NewDataset): Promise<void>
  /**
   * As tables.insert, without a client; for tables that another program made.
   *
   * @param settings - members of the table resource: `timePartitioning`, `requirePartitionFilter`, `expirationTime` …
   */
  createTable(
    dataset: string,
    table: string,
    fields: readonly TableField[],
    settings?: Readonly<Record<string, unknown>>,
  ): Promise<void>
  deleteTable(dataset: string, table: string): Promise<void>
  /** All rows, by `id` where there is such a column. Decodes what was deferred. A missing table has none. */
  rowsOf(dataset: string, table: string): Promise<TableRow[]>
  countOf(dataset: string, table: string): Promise<number>
  /** Adds to the script of faults. Each is met once, in order, by the first request it fits, unless it says otherwise. */
  fail(...faults: readonly Fault[]): Promise<void>
  /** Drops the faults that were not met. @returns how many. */
  clearFaults(): Promise<number>
  /** Lets jobs and requests that a fault holds go on: of one job id, or all. Resolves when their jobs are done. */
  release(jobId?: string): Promise<void>
  /** Drops a job from the history, as BigQuery does after six months. Its rows stay. */
  forget(jobId: string): Promise<void>
  /** Load jobs a table may have in 24 hours, failed ones too; the default is BigQuery's 1,500. */
  limitLoads(perDay: number): Promise<void>
  /** In the order of their creation. */
  jobs(): Promise<JobRecord[]>
  /** What went over the wire, in the order it ended. */
  requests(): Promise<RequestRecord[]>
  close(): Promise<void>
}

/** As datasets.insert has it; the expirations are milliseconds as texts. */
export interface NewDataset {
  readonly id: string
  readonly location?: string
  readonly defaultTableExpirationMs?: string
  readonly defaultPartitionExpirationMs?: string
}

export interface FakeBigQueryOptions {
  /** Default `test-project`. */
  readonly projectId?: string
  /** Of 127.0.0.1; a free one by default. */
  readonly port?: number
  /** Where `gs://` objects are fetched: a Cloud Storage emulator, `http://127.0.0.1:<port>`. */
  readonly storageUrl?: string
  /**
   * `now` (default): a load job ends after ClickHouse has read every row. `later`: it ends when the container's blocks
   * are counted, and rows are decoded when they are asked for; for benchmarks.
   */
  readonly decode?: 'now' | 'later'
  /** Exists; default: a temporary one, removed at the end. */
  readonly folder?: string
}

/** Of tables.get; `mode` is NULLABLE where it is missing. */
export interface TableField {
  readonly name: string
  readonly type: FieldType
  /** REPEATED is there for tables that do not fit. */
  readonly mode?: 'NULLABLE' | 'REQUIRED' | 'REPEATED'
  readonly description?: string
  readonly defaultValueExpression?: string
}

/** Rows are read and queried as the first five; the others are there for tables that do not fit. */
export type FieldType =
  | 'INTEGER'
  | 'FLOAT'
  | 'STRING'
  | 'TIMESTAMP'
  | 'BOOLEAN'
  | 'BYTES'
  | 'DATE'
  | 'DATETIME'
  | 'NUMERIC'
  | 'BIGNUMERIC'

/** INTEGER as bigint, TIMESTAMP as bigint in microseconds, FLOAT as number, BOOLEAN as boolean, the rest as text. */
export type TableRow = Readonly<Record<string, bigint | number | string | boolean | null>>

/** `jobs.upload` is jobs.insert with the file in the request, multipart or the start of a resumable session. */
export type Operation =
  | 'jobs.insert'
  | 'jobs.upload'
  | 'jobs.upload.chunk'
  | 'jobs.get'
  | 'jobs.list'
  | 'jobs.cancel'
  | 'jobs.query'
  | 'jobs.getQueryResults'
  | 'tables.get'
  | 'tables.insert'
  | 'tables.patch'
  | 'tables.delete'
  | 'tables.list'
  | 'datasets.get'
  | 'datasets.insert'

/** Answers as BigQuery words them, with the HTTP status in the table of {@link errorAnswers}. */
export type ErrorName =
  | 'backendError'
  | 'internalError'
  | 'badGateway'
  | 'rateLimitExceeded'
  | 'quotaExceeded'
  | 'accessDenied'
  | 'authError'
  | 'notFound'
  /** Of a job that is there, as where one that was just made is looked for too soon. */
  | 'jobNotFound'

/** One thing that goes wrong. */
export interface Fault {
  /** The request it meets. A job that holds or fails is met where it is created: `jobs.insert`, `jobs.upload`. */
  readonly on: Operation
  /** Lets this many fitting requests pass first. Default 0. */
  readonly skip?: number
  /** How many requests it meets. Default 1. */
  readonly times?: number
  readonly do: FaultAction
}

export type FaultAction =
  /** An error instead of any effect. The body is read first, as the real service does. */
  | { readonly kind: 'answer'; readonly error: ErrorName }
  /** The full effect, then an error. */
  | { readonly kind: 'answer-after'; readonly error: ErrorName }
  /** The full effect, then the connection is reset without an answer. */
  | { readonly kind: 'lose-response' }
  /** The full effect, and only so much of the answer. */
  | { readonly kind: 'cut-response'; readonly afterBytes: number }
  /** The connection is reset when so many bytes of the body have come; no effect (a resumable session keeps them). */
  | { readonly kind: 'cut-body'; readonly afterBytes: number }
  /** The body is read and the connection reset; the request takes effect at {@link FakeBigQuery.release}. */
  | { readonly kind: 'land-later' }
  /** The job is accepted and stays in this state until it is released. */
  | { readonly kind: 'hold-job'; readonly state: 'PENDING' | 'RUNNING' }
  /** The job is accepted and fails with these errors; no row is stored. */
  | { readonly kind: 'fail-job'; readonly errors: readonly [ErrorProto, ...ErrorProto[]] }

/** BigQuery's ErrorProto. */
export interface ErrorProto {
  readonly reason: string
  readonly message: string
  readonly location?: string
}

export interface JobRecord {
  readonly jobId: string
  readonly location: string
  readonly state: 'PENDING' | 'RUNNING' | 'DONE'
  /** As it came over the wire: configuration.load, configuration.labels … */
  readonly configuration: Readonly<Record<string, unknown>>
  /** Of `status`; empty unless it failed. */
  readonly errors: readonly ErrorProto[]
  /** Of a load job that is done. */
  readonly outputRows: number | undefined
  /** No longer in the history. */
  readonly forgotten: boolean
}

export interface RequestRecord {
  readonly operation: Operation | 'unknown'
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The JSON that came, of a multipart upload its first part; undefined where none came whole. */
  readonly body: unknown
  /** Of the whole body. */
  readonly bodyBytes: number
  /** Undefined where no answer was sent. */
  readonly status: number | undefined
}
