import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { freePort } from './free-port.js'
import { findMySqlPrograms, type MySqlPrograms } from './mysql-programs.js'
import { ServerProcess, type Started } from './server-process.js'

/** A MariaDB or MySQL server on which the caller may do anything. */
export interface MySqlServer {
  /** `mysql://user[:password]@host:port/` */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Undefined for a server that this process did not start. */
  readonly socketPath: string | undefined
  readonly user: string
  readonly password: string
  readonly kind: 'mariadb' | 'mysql'
  /** What `select version()` says. */
  readonly version: string
  /** To freeze, kill and restart it; undefined for a server that this process did not start. */
  readonly process: ServerProcess | undefined
  /** Ends what was started, and only that. */
  stop(): Promise<void>
}

export interface MySqlServerOptions {
  /** Reused when it holds data, and kept. Default: a temporary folder, removed at the end. */
  readonly dataFolder?: string
  /** Flush to disk at every commit, as a server in earnest does. Default false: data is thrown away anyway. */
  readonly durable?: boolean
  /** More arguments for the server, such as `--innodb-buffer-pool-size=1G`. */
  readonly serverArgs?: readonly string[]
}

/**
 * Starts a private MariaDB (or MySQL, where that is what is on PATH) that listens on a free port of 127.0.0.1 and
 * on a socket, and ends with this process at the latest.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function startMariaDb(options: MySqlServerOptions = {}): Promise<Started<MySqlServer>> {
  const programs = await findMySqlPrograms()
  const folder = await mkdtemp(join(tmpdir(), 'archiver-mysql-'))
  const dataFolder = options.dataFolder ? resolve(options.dataFolder) : join(folder, 'data')
  try {
    await mkdir(dataFolder, { recursive: true })
    if ((await readdir(dataFolder)).length === 0) await programs.initialise(dataFolder, folder)
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true })
    throw thrown
  }
  return launch(programs, folder, dataFolder, options)
}

async function launch(
  programs: MySqlPrograms,
  folder: string,
  dataFolder: string,
  options: MySqlServerOptions,
): Promise<Started<MySqlServer>> {
  const port = await freePort()
  const socketPath = join(folder, 'mysql.sock')
  const process = await ServerProcess.start({
    command: programs.server,
    args: serverArgs(programs, dataFolder, port, socketPath, options),
    env: programs.env,
    folder,
    orderlyStop: options.dataFolder !== undefined,
    answers: () => versionOf({ socketPath, user: 'root' }),
  })
  const version = await versionOf({ socketPath, user: 'root' })
  const place = { host: '127.0.0.1', port, socketPath, user: 'root', password: '' }
  return {
    ...place,
    url: `mysql://root@127.0.0.1:${port}/`,
    kind: programs.kind,
    version,
    process,
    stop: () => process.stop(),
  }
}

function serverArgs(
  programs: MySqlPrograms,
  dataFolder: string,
  port: number,
  socketPath: string,
  { durable, serverArgs = [] }: MySqlServerOptions,
): string[] {
  const careless = ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0', '--sync-binlog=0']
  return [
    '--no-defaults',
    ...programs.serverArgs,
    `--datadir=${dataFolder}`,
    // A server that starts removes the temporary tables of all others that share this folder.
    `--tmpdir=${dirname(socketPath)}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${socketPath}`,
    '--skip-name-resolve',
    '--skip-log-bin',
    '--local-infile=ON',
    '--character-set-server=utf8mb4',
    '--max-allowed-packet=64M',
    '--innodb-buffer-pool-size=256M',
    ...(durable ? [] : careless),
    ...serverArgs,
  ]
}

/** The server that the tests use: the one ARCHIVER_TEST_MYSQL_URL names, otherwise a private MariaDB. */
export async function testMySql(): Promise<MySqlServer> {
  const url = process.env.ARCHIVER_TEST_MYSQL_URL
  return url ? existingMySql(url) : startMariaDb()
}

/** A server that somebody else runs, given as `mysql://user:password@host:port/`. Stopping it does nothing. */
export async function existingMySql(url: string): Promise<MySqlServer> {
  const { hostname: host, port: portText, username, password: encoded } = new URL(url)
  const port = portText ? Number(portText) : 3306
  const [user, password] = [decodeURIComponent(username), decodeURIComponent(encoded)]
  const version = await versionOf({ host, port, user, password })
  const kind = /mariadb/i.test(version) ? 'mariadb' : 'mysql'
  return { url, host, port, socketPath: undefined, user, password, kind, version, process: undefined, async stop() {} }
}

async function versionOf(options: Parameters<typeof createConnection>[0] & object): Promise<string> {
  const connection = await createConnection(options)
  try {
    const [rows] = await connection.query<RowDataPacket[]>('select version() as version')
    return String(rows[0]?.version)
  } finally {
    await connection.end()
  }
}
