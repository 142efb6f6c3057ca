import {
  errorText,
  type ReplicaAddress,
  type ReplicaChoice,
  type ReplicaLag,
  type WatchedReplica,
} from '@archiver/core'
import type { Connection } from 'mysql2'
import { askRows, type Row } from '../ask-rows.js'
import { connect, disconnect } from '../connect.js'
import type { MySqlSettings } from '../settings.js'

/** For a server to be reached, and for its answer: the cleaner must not hang on one. */
const ANSWER_TIMEOUT_MS = 3_000

/** MariaDB's, which alone shows all of its channels; MySQL's from 8.0.22 on, and from before: these show all of them. */
const STATUS = ['show all slaves status', 'show replica status', 'show slave status']
/** Names of the statement from MySQL 8.0.22 and MariaDB 10.5 on, and from before. */
const HOSTS = ['show replicas', 'show replica hosts', 'show slave hosts']

/** A replica that is looked at again and again over one connection. */
class Replica implements WatchedReplica {
  readonly name: string
  private readonly settings: MySqlSettings
  private connection: Connection | undefined

  constructor({ host, port }: ReplicaAddress, source: MySqlSettings) {
    const { socketPath: _, ...rest } = source
    // Without a database: a replica may have been told to leave this one out.
    this.settings = {
      ...rest,
      database: '',
      host,
      port: port ?? source.port,
      connectTimeoutMs: ANSWER_TIMEOUT_MS,
      readTimeoutMs: ANSWER_TIMEOUT_MS,
    }
    this.name = `${host}:${this.settings.port}`
  }

  async lag(): Promise<ReplicaLag> {
    try {
      this.connection ??= await this.open()
      return lagOf(await askFirstKnown(this.connection, STATUS))
    } catch (error) {
      this.connection?.destroy()
      this.connection = undefined
      return { lagMs: null, why: errorText(error) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { connection } = this
    this.connection = undefined
    if (connection !== undefined) await disconnect(connection)
  }

  private open(): Promise<Connection> {
    return connect(this.settings)
  }
}

/**
 * The lag of a replica by the rows of its SHOW REPLICA STATUS, one for each channel: the largest, without the delay it
 * was told to keep. Seconds_Behind is NULL where the applier does not run, or has nothing left and receives nothing.
 */
export function lagOf(channels: readonly Row[]): ReplicaLag {
  if (channels.length === 0) return { lagMs: null, why: 'it is not a replica' }
  let most = 0
  for (const channel of channels) {
    const behind = channel.Seconds_Behind_Source ?? channel.Seconds_Behind_Master ?? null
    if (behind === null) return { lagMs: null, why: stopped(channel) }
    most = Math.max(most, Number(behind) - Number(channel.SQL_Delay ?? 0))
  }
  return { lagMs: most * 1_000 }
}

function stopped(channel: Row): string {
  const error = channel.Last_SQL_Error || channel.Last_IO_Error || channel.Last_Error
  const name = channel.Channel_Name || channel.Connection_name
  return `replication${name ? ` of channel ${name}` : ''} does not run${error ? `: ${error}` : ''}`
}

/** A replica of which the source knows nothing but that it is there. */
class UnnamedReplica implements WatchedReplica {
  readonly name: string

  constructor(serverId: string) {
    this.name = `server_id=${serverId}`
  }

  async lag(): Promise<ReplicaLag> {
    const why = 'it reports no host (report_host), so it cannot be asked: name all replicas in cleanup_replicas'
    return { lagMs: null, why }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The replicas that count: those that are named, otherwise those that the source knows of and that are not ignored. */
export async function watchedReplicas(
  source: Connection,
  settings: MySqlSettings,
  { replicas = [], ignoredReplicas = [] }: ReplicaChoice,
): Promise<readonly WatchedReplica[] | string> {
  if (replicas.length > 0) return replicas.map((address) => new Replica(address, settings))
  const found = await findReplicas(source)
  if (typeof found === 'string') return found
  return found
    .filter((one) => !isIgnored(one, ignoredReplicas))
    .map(({ host, port, serverId }) =>
      host === null ? new UnnamedReplica(serverId) : new Replica({ host, port }, settings),
    )
}

function isIgnored({ host, port, serverId }: FoundReplica, ignored: readonly string[]): boolean {
  return [`server_id=${serverId}`, host, `${host}:${port}`].some((name) => name !== null && ignored.includes(name))
}

/** A replica that the source knows of; one that reports no host has none. */
interface FoundReplica {
  readonly serverId: string
  readonly host: string | null
  readonly port: number
}

/** The replicas that the source knows of. @returns why they cannot be seen, where the account may not ask. */
async function findReplicas(source: Connection): Promise<readonly FoundReplica[] | string> {
  try {
    const rows = await askFirstKnown(source, HOSTS)
    return rows.map(({ Host: host, Port: port, Server_Id: id, Server_id = id }) => ({
      serverId: String(Server_id),
      host: host ? String(host) : null,
      port: Number(port),
    }))
  } catch (error) {
    return errorText(error)
  }
}

/** The answer to the first of these statements that the server knows. */
async function askFirstKnown(connection: Connection, statements: readonly string[]): Promise<Row[]> {
  const [statement = '', ...others] = statements
  try {
    return await askRows(connection, statement, ANSWER_TIMEOUT_MS)
  } catch (error) {
    if (others.length === 0 || (error as NodeJS.ErrnoException).code !== 'ER_PARSE_ERROR') throw error
    return askFirstKnown(connection, others)
  }
}
