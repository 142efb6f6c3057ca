import { errorText } from '@archiver/core'
import { connect, disconnect, type MySqlSettings } from '@archiver/core/mysql'
import type { Connection } from 'mysql2'
import { askRows, type Row } from './ask.js'
import type { ReplicaAddress } from './options.js'

/** For a server to be reached, and for its answer: the cleaner must not hang on one. */
const ANSWER_TIMEOUT_MS = 3_000

/** Names of the statement from MySQL 8.0.22 and MariaDB 10.5 on, and from before. */
const STATUS = ['show replica status', 'show slave status']
const HOSTS = ['show replicas', 'show replica hosts', 'show slave hosts']

/** How far behind a replica is; null where replication does not run or the replica cannot be asked, and why. */
export interface ReplicaLag {
  readonly replica: string
  readonly lagMs: number | null
  readonly why?: string
}

/** A replica that is looked at again and again over one connection. */
export class Replica implements AsyncDisposable {
  readonly name: string
  private readonly settings: MySqlSettings
  private connection: Connection | undefined

  constructor({ host, port }: ReplicaAddress, source: MySqlSettings) {
    const { socketPath: _, ...rest } = source
    this.settings = { ...rest, host, port: port ?? source.port, connectTimeoutMs: ANSWER_TIMEOUT_MS }
    this.name = `${host}:${this.settings.port}`
  }

  async lag(): Promise<ReplicaLag> {
    try {
      this.connection ??= await this.open()
      return { replica: this.name, ...lagOf(await askFirstKnown(this.connection, STATUS)) }
    } catch (error) {
      this.connection?.destroy()
      this.connection = undefined
      return { replica: this.name, lagMs: null, why: errorText(error) }
    }
  }

  /** Why it cannot be asked at all; null where it can. */
  async unreachable(): Promise<string | null> {
    const { why = '' } = await this.lag()
    return this.connection === undefined ? why : null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { connection } = this
    this.connection = undefined
    if (connection !== undefined) await disconnect(connection)
  }

  private async open(): Promise<Connection> {
    const connection = await connect(this.settings)
    // A connection that is lost shows in the next question.
    connection.on('error', () => undefined)
    return connection
  }
}

/**
 * The lag of a replica by the rows of its SHOW REPLICA STATUS, one for each channel: the largest, without the delay it
 * was told to keep. Seconds_Behind is NULL where the applier does not run, or has nothing left and receives nothing.
 */
export function lagOf(channels: readonly Row[]): Pick<ReplicaLag, 'lagMs' | 'why'> {
  if (channels.length === 0) return { lagMs: null, why: 'it is no replica' }
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
  return `replication does not run${error ? `: ${error}` : ''}`
}

/**
 * The replicas that the source knows of, by the name they report.
 *
 * @returns why there is nothing to see, where the account may not ask or replicas give no name.
 */
export async function findReplicas(source: Connection): Promise<readonly ReplicaAddress[] | string> {
  try {
    const rows = await askFirstKnown(source, HOSTS)
    const named = rows.flatMap(({ Host: host, Port: port }) =>
      host ? [{ host: String(host), port: Number(port) }] : [],
    )
    if (named.length === rows.length) return named
    return `${rows.length - named.length} of ${rows.length} replicas report no host (report_host): name them in cleanup_replicas`
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
