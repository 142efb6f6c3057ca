import { join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'

/** How to run a MariaDB or MySQL server that this machine has, or that was unpacked for it. */
export interface MySqlPrograms {
  readonly kind: 'mariadb' | 'mysql'
  readonly server: string
  /** Arguments that every run of `server` needs. */
  readonly serverArgs: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Fills an empty data folder; `root` gets no password. Nobody else may use the folder for temporary files. */
  initialise(dataFolder: string, temporaryFolder: string): Promise<void>
}

/**
 * The server on PATH (or where servers usually are), otherwise Debian's MariaDB unpacked into the user's cache.
 *
 * @throws ServiceUnavailable naming what to install.
 */
export async function findMySqlPrograms(): Promise<MySqlPrograms> {
  const found = await installed()
  if (found) return found
  try {
    const { root, env } = await unpackDebianPackages('mariadb-server-core', 'mariadb-client-core')
    const base = ['--basedir', '--lc-messages-dir', '--character-sets-dir', '--plugin-dir']
    const folders = ['usr', 'usr/share/mysql', 'usr/share/mysql/charsets', 'usr/lib/mysql/plugin']
    const serverArgs = base.map((name, i) => `${name}=${join(root, folders[i]!)}`)
    return mariaDb(join(root, 'usr/sbin/mariadbd'), join(root, 'usr/bin/mariadb-install-db'), serverArgs, env)
  } catch (thrown) {
    const hint = 'Install it (Debian: apt-get install mariadb-server-core mariadb-client-core) or put mariadbd on PATH.'
    throw new ServiceUnavailable(`No MariaDB server: ${messageOf(thrown)}\n${hint}`, { cause: thrown })
  }
}

async function installed(): Promise<MySqlPrograms | undefined> {
  const server = await findExecutable('mariadbd', 'mysqld')
  if (!server) return undefined
  const version = await runCommand(server, ['--no-defaults', '--version'])
  if (!/mariadb/i.test(version)) return mySql(server)
  const installDb = await findExecutable('mariadb-install-db', 'mysql_install_db')
  return installDb ? mariaDb(server, installDb, [], process.env) : undefined
}

function mariaDb(server: string, installDb: string, args: readonly string[], env: NodeJS.ProcessEnv): MySqlPrograms {
  const initialise = async (dataFolder: string, temporaryFolder: string) => {
    const own = ['--auth-root-authentication-method=normal', '--skip-test-db', `--datadir=${dataFolder}`]
    await runCommand(installDb, ['--no-defaults', ...args, ...own, ...asThisUser()], {
      ...env,
      TMPDIR: temporaryFolder,
    })
  }
  return { kind: 'mariadb', server, serverArgs: [...args, ...asThisUser()], env, initialise }
}

function mySql(server: string): MySqlPrograms {
  const initialise = async (dataFolder: string) => {
    await runCommand(server, ['--no-defaults', '--initialize-insecure', `--datadir=${dataFolder}`, ...asThisUser()])
  }
  return { kind: 'mysql', server, serverArgs: ['--mysqlx=OFF', ...asThisUser()], env: process.env, initialise }
}

/** Both servers refuse to run as root unless told so. */
function asThisUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : []
}
