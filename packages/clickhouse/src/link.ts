import type { Lease } from '@archiver/core'

/** One ClickHouse to talk to: a server over HTTP, or the engine inside this process. Its errors are ArchiverErrors. */
export interface Link {
  /** Rows that one insert may hold; what a batch has more goes into further inserts. */
  readonly maxInsertRows: number
  /** The rows of a small answer whose columns are all texts. */
  rows(sql: string): Promise<Record<string, string>[]>
  run(sql: string): Promise<void>
  /** Ids whose rows one statement may be asked for in order: it sorts them in memory. */
  readonly maxReadIds: bigint
  /** An answer of any size, as it arrives; by default in RowBinary. An answer cut short is an error. */
  read(sql: string, signal: AbortSignal, format?: 'RowBinary' | 'Native'): AsyncIterable<Uint8Array>
  /** Inserts blocks of the Native format; asks the lease before each is sent, and before the insert counts. */
  insert(table: string, ids: InsertIds, blocks: AsyncIterable<Uint8Array>, lease: Lease): Promise<void>
}

/** How a server knows an insert. */
export interface InsertIds {
  /** Of this statement. */
  readonly queryId: string
  /** Of the HTTP session that the server locks while it serves the insert. */
  readonly sessionId: string
}

/** All that a DSN names. */
export interface Links {
  readonly database: string
  /** Whether `prepare` creates the database: one that is missing then holds no rows. */
  readonly createsDatabase: boolean
  /** The one to use for all of a batch. It knows what its ClickHouse can do. */
  reach(): Promise<Link>
  /** Looks at what is there and what its ClickHouse can do, and leaves nothing where there was nothing. */
  preview<T>(look: (link: Link, facts: Facts) => Promise<T>): Promise<T>
  /** Removes what an interrupted insert into the table left outside of ClickHouse; looks again at what it can do. */
  prepare(table: string): Promise<{ link: Link; facts: Facts }>
  /** Resolves when nothing that an earlier process sent under this query id can still arrive. */
  settle(queryId: string, lease: Lease): Promise<void>
  /** An insert of this process has failed: ClickHouse may have accepted it all the same. */
  interrupted(): void
  close(): Promise<void>
}

/** What a ClickHouse can do: an unknown setting is an error, and 18.16 and 26.7 do not know the same. */
export interface Facts {
  /** Settings to send with an insert. */
  readonly insertSettings: Readonly<Record<string, string>>
  /** Settings of a table that make an insert wait for the disk. */
  readonly tableSettings: readonly string[]
}
