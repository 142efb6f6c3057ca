/** Rows of an archive that were deleted from the source after they had been stored. */
export interface DeletedRows {
  readonly rows: number
  /** The servers of these rows, in the order in which they were found; at most 20. */
  readonly servers: readonly { readonly serverId: number; readonly rows: number }[]
  /** Whether there are servers that `servers` does not name. */
  readonly moreServers: boolean
}

const MAX_SERVERS = 20

/** Counts deleted rows, and remembers the first servers: memory is bounded. */
export class DeletedRowsLog {
  private rows = 0
  private readonly servers = new Map<number, number>()
  private moreServers = false

  add(serverId: number): void {
    this.rows += 1
    const known = this.servers.get(serverId)
    if (known === undefined && this.servers.size === MAX_SERVERS) this.moreServers = true
    else this.servers.set(serverId, (known ?? 0) + 1)
  }

  get result(): DeletedRows {
    const servers = [...this.servers].map(([serverId, rows]) => ({ serverId, rows }))
    return { rows: this.rows, servers, moreServers: this.moreServers }
  }
}
