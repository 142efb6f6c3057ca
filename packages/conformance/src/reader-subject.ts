import type { LogScore } from '@archiver/core'
import type { ConformanceSubject } from './subject.js'

/** One kind of archive that can be read back, and how to do it harm behind the adapter's back. */
export interface ReaderSubject extends ConformanceSubject {
  /** Changes what the archive holds of the table: each row becomes those that `edit` makes of it, in its place. */
  tamper(table: string, edit: (row: LogScore) => readonly LogScore[]): Promise<void>
  /** For archives whose batches are files or objects: their bytes. */
  readonly files?: ArchiveFiles
}

export interface ArchiveFiles {
  /** What the archive holds of the table, in the order in which it was stored. */
  names(table: string): Promise<string[]>
  read(table: string, name: string): Promise<Buffer>
  /** In place of what was there, under the same name and with the same metadata. */
  write(table: string, name: string, bytes: Buffer): Promise<void>
  remove(table: string, name: string): Promise<void>
}
