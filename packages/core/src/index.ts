export type { ArchiveReader, IdRange, RangeDigest, RowRange, ScanQuery, TimeSpan } from './archive-reader.js'
export { attributesJson } from './attributes.js'
export { allocateChunk, type ChunkColumn, chunkColumns, chunkFromRows, chunksFromRows, rowsFromChunk } from './chunk.js'
export { exactOf, firstRows, rowAfter, rowsInRange, viewRows } from './chunk-views.js'
export { Digest, digestOf, equalDigests } from './digest.js'
export { formatDuration, parseDuration } from './duration.js'
export { ArchiverError, type ErrorDetails, type ErrorPlace, errorText, inOperation, RowError } from './errors.js'
export { type FaultPoint, faultPoint } from './fault.js'
export {
  type GoogleFailure,
  googleFailure,
  isGoogleLogin,
  isGoogleUnreachable,
} from './google-failure.js'
export { GOOGLE_KEY_VARIABLE, requireGoogleKeyFile } from './google-key-file.js'
export { escapeInvisible, harmlessLine, harmlessLines, harmlessText, harmlessValue } from './harmless.js'
export { higherId, lowerId } from './ids.js'
export { permitUntil, permitWhile } from './permit.js'
export { type Point, parsePoint, pointForms, rangeProblem } from './point.js'
export { matchingRows, matchRow, type RowFilter } from './row-filter.js'
export { batchSourceFrom, deletedRowsOf, NamedRows, RowsNotInSource } from './rows-not-in-source.js'
export { TakeoverWait } from './takeover-wait.js'
export { joinSpans } from './time-spans.js'
export type {
  ArchiveRight,
  Archiver,
  Attributes,
  BatchPolicy,
  BatchSource,
  FloatColumn,
  LogScore,
  LogScoreChunk,
  Permit,
  PlannedBatch,
  StoredRows,
  StoreResult,
} from './types.js'
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
} from './unarchived.js'
