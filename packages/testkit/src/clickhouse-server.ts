import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.js'
import { unpackSuitePackages } from './debian-suite.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable } from './executables.js'
import { freePort } from './free-port.js'
import { ServerProcess, type Started } from './server-process.js'

/** A ClickHouse server of one's own; user `default` without a password. */
export interface ClickHouseServer {
  /** `http://127.0.0.1:<httpPort>` */
  readonly url: string
  readonly host: string
  readonly httpPort: number
  /** For the native protocol, and for `tcp://` addresses as the Go program writes them. */
  readonly tcpPort: number
  readonly version: string
  /** To freeze, kill and restart it; undefined for a server that this process did not start. */
  readonly process: ServerProcess | undefined
  /** Runs one statement. @returns the answer's text. @throws Error with the server's message. */
  query(sql: string, database?: string): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts a private ClickHouse server (the one on PATH, otherwise Debian's, unpacked into the user's cache) on free
 * ports of 127.0.0.1, with a configuration and folder of its own. It ends with this process at the latest.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function startClickHouse(more: MoreUsers = {}): Promise<Started<ClickHouseServer>> {
  const { command, args, env } = await findClickHouse()
  const folder = await mkdtemp(join(tmpdir(), 'archiver-clickhouse-'))
  const httpPort = await freePort()
  const tcpPort = await freePort()
  await writeFile(join(folder, 'config.xml'), configuration(folder, httpPort, tcpPort))
  await writeFile(join(folder, 'users.xml'), usersWith(more))
  const query = (sql: string, database?: string) => clickHouseQuery(httpPort, sql, database)
  const process = await ServerProcess.start({
    command,
    args: [...args, `--config-file=${join(folder, 'config.xml')}`],
    env,
    folder,
    orderlyStop: false,
    answers: () => query('select 1'),
  })
  const version = (await query('select version()')).trim()
  const url = `http://127.0.0.1:${httpPort}`
  return { url, host: '127.0.0.1', httpPort, tcpPort, version, process, query, stop: () => process.stop() }
}

async function findClickHouse(): Promise<{ command: string; args: string[]; env: NodeJS.ProcessEnv }> {
  const found = await findExecutable('clickhouse-server', 'clickhouse')
  if (found) return { command: found, args: basename(found) === 'clickhouse' ? ['server'] : [], env: process.env }
  try {
    return await unpackClickHouse()
  } catch (thrown) {
    const hint = 'Install it (Debian: apt-get install clickhouse-server) or put clickhouse-server on PATH.'
    throw new ServiceUnavailable(`No ClickHouse server: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}

/** That of this machine's Debian; Debian 13 has none, and runs that of Debian 12. */
async function unpackClickHouse(): Promise<{ command: string; args: string[]; env: NodeJS.ProcessEnv }> {
  const [name, path] = ['clickhouse-server', 'usr/sbin/clickhouse-server']
  try {
    const { root, env } = await unpackDebianPackages(name)
    return { command: join(root, path), args: [], env }
  } catch (thrown) {
    if (!/Unable to locate package|no installation candidate/.test(messageOf(thrown))) throw thrown
    const root = await unpackSuitePackages({ suite: 'bookworm', packages: [name], programs: [path] })
    return { command: join(root, path), args: [], env: process.env }
  }
}

/** Runs one statement on a server of this machine. @throws Error with the server's message. */
export async function clickHouseQuery(httpPort: number, sql: string, database = 'default'): Promise<string> {
  const url = `http://127.0.0.1:${httpPort}/?database=${encodeURIComponent(database)}`
  const response = await fetch(url, { method: 'POST', body: sql })
  const text = await response.text()
  if (!response.ok) throw new Error(text.trim())
  return text
}

function configuration(folder: string, httpPort: number, tcpPort: number): string {
  return `<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${httpPort}</http_port>
  <tcp_port>${tcpPort}</tcp_port>
  <path>${folder}/data/</path>
  <tmp_path>${folder}/tmp/</tmp_path>
  <user_files_path>${folder}/user_files/</user_files_path>
  <format_schema_path>${folder}/format_schemas/</format_schema_path>
  <users_config>users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size>
  <timezone>UTC</timezone>
  <remote_servers><alone><shard><replica><host>127.0.0.1</host><port>${tcpPort}</port></replica></shard></alone></remote_servers>
</yandex>
`
}

/** Pieces of users.xml: what is added to its profiles and its users. */
export interface MoreUsers {
  readonly profiles?: string
  readonly users?: string
}

function usersWith({ profiles = '', users = '' }: MoreUsers): string {
  return `<yandex>
  <profiles><default><log_queries>0</log_queries></default>${profiles}</profiles>
  <users>${users}
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
  <quotas><default></default></quotas>
</yandex>
`
}
