export type { SourceDigest, VerifySource } from '../contract/verify-source.js'
export { differentColumns, equalRows, type Place } from './columns.js'
export { compareRows, type RowComparison } from './compare-rows.js'
export type { DeletedRows } from './deleted-rows-log.js'
export {
  type DifferentColumn,
  type DifferentFinding,
  type Finding,
  type FindingCounts,
  FindingLog,
  type GoneFinding,
  type RunFinding,
  type UnreadableFinding,
} from './finding.js'
export { type JoinVisitor, joinRows, skipEqualRows } from './join-rows.js'
export { type OnVerified, type Verification, type VerifyOptions, verifyArchive } from './verify-archive.js'
