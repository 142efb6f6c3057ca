import {
  createDatabase,
  type MySqlDatabase,
  type MySqlServer,
  type ServerProcess,
  startMariaDb,
} from '@archiver/testkit'
import type { Connection, RowDataPacket } from 'mysql2/promise'

/** A source and a replica of it, both real servers of 127.0.0.1. */
export interface ReplicaPair {
  readonly database: MySqlDatabase
  /** On the replica, in the database of the same name. */
  readonly replica: Connection
  readonly replicaPort: number
  readonly replicaProcess: ServerProcess
  /** Statements of both kinds of servers. */
  readonly applier: { readonly stop: string; readonly start: string }
  /** Resolves when the replica has applied all that the source had when this was called. */
  caughtUp(): Promise<void>
  stop(): Promise<void>
}

/** @throws ServiceUnavailable where no server can be had. */
export async function startReplicaPair(): Promise<ReplicaPair> {
  const source = await startMariaDb({ serverArgs: ['--log-bin=binlog', '--server-id=1', '--binlog-format=ROW'] })
  const replicaServer = await startMariaDb({ serverArgs: ['--server-id=2', '--report-host=127.0.0.1'] })
  const admin = await (await createDatabase(replicaServer)).connect()
  const database = await createDatabase(source)
  for (const statement of replicate(source)) await admin.query(statement)
  const old = source.kind === 'mariadb'
  const pair = {
    database,
    replicaPort: replicaServer.port,
    replicaProcess: replicaServer.process,
    applier: applierOf(old),
  }
  const caughtUp = async () => {
    const [position] = await onSource(database, old ? 'show master status' : 'show binary log status')
    const wait = `select ${old ? 'master_pos_wait' : 'source_pos_wait'}(?, ?, 60) as done`
    const [[answer] = []] = await admin.query<RowDataPacket[]>(wait, [position?.File, position?.Position])
    if (answer?.done === null || answer?.done === -1) throw new Error('the replica does not catch up')
  }
  await caughtUp()
  await admin.query(`use \`${database.name}\``)
  const stop = async () => {
    await admin.end()
    await replicaServer.stop()
    await source.stop()
  }
  return { ...pair, replica: admin, caughtUp, stop }
}

async function onSource(database: MySqlDatabase, statement: string): Promise<RowDataPacket[]> {
  const connection = await database.connect()
  const [rows] = await connection.query<RowDataPacket[]>(statement)
  await connection.end()
  return rows
}

/** Statements that make a server a replica of this one. */
export function replicate({ kind, host, port }: MySqlServer): string[] {
  const [change, prefix, more, start] =
    kind === 'mariadb'
      ? ['change master to', 'master', 'master_use_gtid=no', 'start slave']
      : ['change replication source to', 'source', 'get_source_public_key=1', 'start replica']
  const place = `${prefix}_host='${host}', ${prefix}_port=${port}, ${prefix}_user='root', ${prefix}_password=''`
  const from = `${prefix}_log_file='binlog.000001', ${prefix}_log_pos=4, ${prefix}_connect_retry=1`
  return [`${change} ${place}, ${from}, ${more}`, start]
}

function applierOf(old: boolean): ReplicaPair['applier'] {
  const name = old ? 'slave' : 'replica'
  return { stop: `stop ${name} sql_thread`, start: `start ${name} sql_thread` }
}
