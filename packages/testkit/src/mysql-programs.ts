import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.js'
import { unpackSuitePackages } from './debian-suite.js'
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

/** The Debian release that has a version of MariaDB. */
const suiteOf: Readonly<Record<string, string>> = { '10.11': 'bookworm', '11.8': 'trixie' }

/**
 * The MariaDB that `ARCHIVER_TEST_MARIADB` names (`10.11` or `11.8`), unpacked from the Debian release that has it. Without
 * the variable: the server on PATH (or where servers usually are), otherwise the MariaDB of this machine's Debian, unpacked
 * into the user's cache.
 *
 * @throws ServiceUnavailable naming what to install.
 */
export async function findMySqlPrograms(): Promise<MySqlPrograms> {
  const version = process.env.ARCHIVER_TEST_MARIADB
  if (version) return ofDebian(version)
  const found = await installed()
  if (found) return found
  try {
    const { root, env } = await unpackDebianPackages('mariadb-server-core', 'mariadb-client-core')
    return unpackedMariaDb(root, env)
  } catch (thrown) {
    const hint = 'Install it (Debian: apt-get install mariadb-server-core mariadb-client-core) or put mariadbd on PATH.'
    throw new ServiceUnavailable(`No MariaDB server: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}

async function ofDebian(version: string): Promise<MySqlPrograms> {
  const suite = suiteOf[version]
  const known = Object.keys(suiteOf).join(' and ')
  if (suite === undefined) throw new Error(`ARCHIVER_TEST_MARIADB takes ${known}, not ${version}`)
  const packages = ['mariadb-server-core', 'mariadb-client-core']
  const programs = ['usr/sbin/mariadbd', 'usr/bin/my_print_defaults', 'usr/bin/resolveip']
  const root = await unpackSuitePackages({ suite, packages, programs })
  return unpackedMariaDb(root, process.env)
}

function unpackedMariaDb(root: string, env: NodeJS.ProcessEnv): MySqlPrograms {
  // Messages and character sets: MariaDB 11 keeps them in a folder of another name than 10.
  const share = existsSync(join(root, 'usr/share/mariadb/charsets')) ? 'mariadb' : 'mysql'
  const base = ['--basedir', '--lc-messages-dir', '--character-sets-dir', '--plugin-dir']
  const folders = ['usr', `usr/share/${share}`, `usr/share/${share}/charsets`, 'usr/lib/mysql/plugin']
  const serverArgs = base.map((name, i) => `${name}=${join(root, folders[i]!)}`)
  return mariaDb(join(root, 'usr/sbin/mariadbd'), join(root, 'usr/bin/mariadb-install-db'), serverArgs, env)
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
