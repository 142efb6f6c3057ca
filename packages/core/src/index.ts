export { attributesJson, parseAttributes, parseWithUnknown } from './chunk/attributes.js'
export {
  allocateChunk,
  type ChunkColumn,
  chunkColumns,
  chunkFromRows,
  chunksFromRows,
  rowsFromChunk,
} from './chunk/chunk.js'
export { exactOf, firstRows, rowAfter, rowsInRange, splitChunk, viewRows } from './chunk/chunk-views.js'
export { Digest, digestOf, equalDigests } from './chunk/digest.js'
export { matchingRows, matchRow, type RowFilter } from './chunk/row-filter.js'
export { withoutIds } from './chunk/select-rows.js'
export type { ArchiveReader, IdRange, RangeDigest, RowRange, ScanQuery, TimeSpan } from './contract/archive-reader.js'
export { type ArchiveRight, type Archiver, type ReadableArchiver, readerOf } from './contract/archiver.js'
export {
  type BatchPolicy,
  type BatchSource,
  type PlannedBatch,
  placeOf,
  type StoredRows,
  type StoreResult,
} from './contract/batch.js'
export {
  type CataloguedBatch,
  CLEANUP,
  type CleanupLimit,
  type CleanupMarks,
  type CleanupSource,
  type DeletionOutcome,
  type LastRun,
  RANGE_IDS,
  type RangeDeletion,
  type ReplicaAddress,
  type ReplicaChoice,
  type ReplicaLag,
  type ReplicaSource,
  type ServerLoad,
  type Slice,
  type WatchedReplica,
} from './contract/cleanup-source.js'
export {
  ArchiverError,
  archiverOff,
  type ErrorDetails,
  type ErrorPlace,
  errorText,
  inOperation,
  RowError,
  shortText,
} from './contract/errors.js'
// By an asterisk: only so can others add to the interface FaultPoints.
export * from './contract/fault.js'
export type { Lease } from './contract/lease.js'
export { leaseUntil, leaseWhile } from './contract/lease.js'
export type { ArchiverStatus, BatchRecord, Ledger, MarkMove } from './contract/ledger.js'
export type { Attributes, FloatColumn, LogScore, LogScoreChunk } from './contract/log-score.js'
export { aboveMark, type EncodedRows, type RestoreStanding, type RestoreTarget } from './contract/restore-target.js'
export type { Source, SourceRange } from './contract/source.js'
export type {
  LockRequest,
  PooledSource,
  ReadAheadSource,
  SessionRequest,
  SourceDatabase,
  SourceLock,
  SourceSession,
} from './contract/source-database.js'
export type {
  FinishedBatch,
  NewestSourceRow,
  Overview,
  OverviewRow,
  PoolState,
  StatusQueries,
} from './contract/status-queries.js'
export { TakeoverWait } from './contract/takeover-wait.js'
export {
  type Acknowledged,
  lowIdWarning,
  NameCounts,
  OTHER_NAMES,
  stampAheadWarning,
  type TableWarning,
  type Unarchived,
  unacknowledged,
  unknownColumnWarning,
  unknownKeys,
  unknownKeyWarnings,
} from './contract/unarchived.js'
export { type ComparedRows, compareHeld, type HeldCursor } from './reconcile/compare-held.js'
export { type IdCursor, RowCursor } from './reconcile/row-cursor.js'
export { batchSourceFrom, deletedRowsOf, NamedRows, RowsNotInSource } from './reconcile/rows-not-in-source.js'
export { IS_LITTLE_ENDIAN, LOW_HALF, megabytes } from './values/bytes.js'
export { formatDuration, parseDuration } from './values/duration.js'
export { escapeInvisible, harmlessLine, harmlessLines, harmlessText, harmlessValue } from './values/harmless.js'
export { higherId, lowerId } from './values/ids.js'
export { type Point, parsePoint, pointForms, rangeProblem } from './values/point.js'
export { DAY_MS, DAY_SECONDS, pause } from './values/time.js'
export { joinSpans } from './values/time-spans.js'
