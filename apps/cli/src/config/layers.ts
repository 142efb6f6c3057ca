import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatDuration } from '@archiver/core'
import { type DatabaseFile, noSection, parseDatabaseFile } from './database-file.js'
import { parseEnvFile } from './env-file.js'
import { type MysqlDsn, parseMysqlDsn, variablesOfDsn } from './mysql-dsn.js'
import { nearestName } from './nearest.js'
import { type Problem, UnfitValue } from './problem.js'
import { parseShellEnv, type ShellAssignments } from './shell-env.js'
import { pause } from './value-types.js'
import { SHORTEST_RUN_INTERVAL_MS } from './variables/running.js'
import { isVariable, type VariableName, variableNames } from './variables.js'

/** Where settings are read from. */
export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here. */
  readonly cwd: string
  /** The value of `--config`. */
  readonly configFile?: string | undefined
  /** Where a `database.yaml` is looked for; the first that exists is taken. */
  readonly databaseFiles?: readonly string[]
  /** For commands that do not ask MySQL: nothing of the connection is required. */
  readonly withoutMySql?: boolean
  /** Folder whose `*.env` are read, in the order of their names. */
  readonly secretsFolder?: string
  /**
   * As the Go program's loop did: files of secrets are shell syntax and win over the environment, and `wait` is the interval
   * of a pass.
   */
  readonly asLoop?: boolean
}

/** A variable's text, before it is read. */
export interface Text {
  readonly text: string
  /** `environment`, `--config FILE`, `DATABASE_DSN` or the path of a file of secrets. */
  readonly origin: string
  /** Whether a message may repeat it: what is cut out of a DSN may hold a piece of its password. */
  readonly quotable: boolean
}

/** The texts of all sources, the strongest of each. */
export interface Texts {
  readonly texts: ReadonlyMap<VariableName, Text>
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
  /** Where the DSN in use is from, if there is one. */
  readonly dsnOrigin: string | undefined
  /** A DSN or a `database.yaml` could not be read: what they say of the connection is unknown, not missing. */
  readonly connectionUnknown: boolean
}

interface Findings {
  readonly texts: Map<VariableName, Text>
  readonly problems: Problem[]
  readonly warnings: string[]
  dsnOrigin: string | undefined
  connectionUnknown: boolean
}

const defaultSecretsFolder = '/vault/secrets'
const defaultDatabaseFiles = ['database.yaml', `${defaultSecretsFolder}/database.yaml`]
const connection = ['db_host', 'db_database', 'db_user', 'db_pass'] as const

/**
 * From weak to strong: the `--config` file, files of secrets, the environment, a DSN, the rest of a `database.yaml`. For
 * `asLoop` the files of secrets come after the environment.
 */
export function collectTexts(source: SettingsSource): Texts {
  const found: Findings = {
    texts: new Map(),
    problems: [],
    warnings: [],
    dsnOrigin: undefined,
    connectionUnknown: false,
  }
  if (source.configFile !== undefined)
    addEnvFile(found, `--config ${source.configFile}`, resolve(source.cwd, source.configFile))
  if (source.asLoop) addAsLoop(found, source)
  else addSecretsAndEnvironment(found, source)
  addConnection(found, source)
  if (source.withoutMySql) addUnused(found)
  return found
}

function addSecretsAndEnvironment(found: Findings, source: SettingsSource): void {
  for (const path of secretEnvFiles(source)) addEnvFile(found, path, path)
  add(found, source.env, 'environment')
  // A word that means many things to many programs: it is read for the loop alone.
  found.texts.delete('wait')
}

function addAsLoop(found: Findings, source: SettingsSource): void {
  add(found, source.env, 'environment')
  const { files, problems } = readShellSecrets(source)
  found.problems.push(...problems)
  for (const { path, assignments } of files) addShellFile(found, path, assignments)
  intervalOfWait(found)
}

function addShellFile(found: Findings, path: string, { values, expanded }: ShellAssignments): void {
  for (const [name, text] of values) {
    if (!isVariable(name)) {
      const near = expanded.has(name) ? undefined : nearestName(name, variableNames)
      if (near !== undefined) found.warnings.push(`${path}: ${name} is not known and not used; did you mean ${near}?`)
    } else if (text === undefined || (text === '' && !mayBeEmpty.has(name))) found.texts.delete(name)
    else found.texts.set(name, { text, origin: path, quotable: true })
  }
}

/** `wait` is the interval of a pass, unless `run_interval` is set. What is wrong with it the schema reports. */
function intervalOfWait({ texts }: Findings): void {
  const wait = texts.get('wait')
  if (wait === undefined || texts.has('run_interval')) return
  const ms = readOrUndefined(() => pause.read(wait.text))
  if (ms === undefined) return
  texts.set('run_interval', {
    text: formatDuration(Math.max(ms, SHORTEST_RUN_INTERVAL_MS)),
    origin: `wait, ${wait.origin}`,
    quotable: true,
  })
}

function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnfitValue) return undefined
    throw error
  }
}

/** The files of secrets as a shell reads them, one after the other, and what is wrong with those that it could not read. */
export function readShellSecrets(source: SettingsSource): {
  readonly files: readonly { readonly path: string; readonly assignments: ShellAssignments }[]
  readonly problems: readonly Problem[]
} {
  const before = new Map<string, string | undefined>()
  const lookup = (name: string) => (before.has(name) ? before.get(name) : source.env[name])
  const problems: Problem[] = []
  const files = []
  for (const path of secretEnvFiles(source)) {
    const assignments = attempt({ problems }, path, () => parseShellEnv(readText(path), lookup))
    if (assignments === undefined) continue
    for (const [name, text] of assignments.values) before.set(name, text)
    files.push({ path, assignments })
  }
  return { files, problems }
}

/** Stands for what a command needs no more than the type of the settings does. */
function addUnused({ texts }: Findings): void {
  for (const name of connection) {
    if (!texts.has(name)) texts.set(name, { text: 'unused', origin: 'not set', quotable: true })
  }
}

/** Values for which empty text says something: an account without a password, a service that does not listen. */
const mayBeEmpty: ReadonlySet<VariableName> = new Set(['db_pass', 'http_listen'])

/** Otherwise an empty value counts as not set. */
function add(found: Findings, values: SettingsSource['env'], origin: string, quotable = true): void {
  for (const name of variableNames) {
    const text = values[name]
    if (text === undefined) continue
    if (text !== '' || (mayBeEmpty.has(name) && !found.texts.has(name)))
      found.texts.set(name, { text, origin, quotable })
  }
}

/** @param origin - how messages name the file. */
function addEnvFile(found: Findings, origin: string, path: string): void {
  const values = attempt(found, origin, () => parseEnvFile(readText(path)))
  if (values === undefined) return
  add(found, values, origin)
  for (const name of Object.keys(values).filter((key) => !isVariable(key))) {
    const near = nearestName(name, variableNames)
    found.warnings.push(
      `${origin}: ${name} is not known and not used${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
}

function secretEnvFiles({ secretsFolder = defaultSecretsFolder }: SettingsSource): string[] {
  if (!existsSync(secretsFolder)) return []
  const names = readdirSync(secretsFolder).filter((name) => name.endsWith('.env'))
  return names.sort().map((name) => `${secretsFolder}/${name}`)
}

function databaseFilesOf({ cwd, databaseFiles = defaultDatabaseFiles }: SettingsSource): string[] {
  return databaseFiles.map((file) => resolve(cwd, file))
}

/** Every file that settings are read from, there or not: for whoever waits for changes. */
export function settingsFiles(source: SettingsSource): string[] {
  const { configFile, cwd } = source
  const config = configFile === undefined ? [] : [resolve(cwd, configFile)]
  return [...config, ...secretEnvFiles(source), ...databaseFilesOf(source)]
}

function addConnection(found: Findings, source: SettingsSource): void {
  const path = databaseFilesOf(source).find((file) => existsSync(file))
  const file = path === undefined ? undefined : attempt(found, path, () => readDatabaseFile(found, path))
  if (path === undefined || !file?.dsn) addVariableDsn(found)
  else addFileDsn(found, path, file.dsn)
  if (path !== undefined && file) addFileParts(found, path, file)
  if (path !== undefined && file === undefined) found.connectionUnknown = true
}

/** Null for a file that other programs keep their sections in. @throws UnfitValue */
function readDatabaseFile({ texts }: Findings, path: string): DatabaseFile | null {
  const file = parseDatabaseFile(readText(path))
  if (file === null && !texts.has('DATABASE_DSN') && !texts.has('db_host')) throw noSection()
  return file
}

function addVariableDsn(found: Findings): void {
  const dsn = found.texts.get('DATABASE_DSN')
  if (dsn === undefined) return
  try {
    addDsn(found, parseMysqlDsn(dsn.text), 'DATABASE_DSN')
  } catch {
    // The schema reads this variable too and reports what is wrong with it.
    found.connectionUnknown = true
  }
}

function addFileDsn(found: Findings, path: string, text: string): void {
  if (found.texts.has('DATABASE_DSN')) found.warnings.push(`DATABASE_DSN is not used: ${path} has a DSN of its own`)
  const dsn = attempt(found, `${path}: mysql.dsn`, () => parseMysqlDsn(text))
  if (dsn === undefined) found.connectionUnknown = true
  else addDsn(found, dsn, path)
}

/** A DSN says the connection as a whole: what it leaves out is not taken from the variables it stands for. */
function addDsn(found: Findings, dsn: MysqlDsn, origin: string): void {
  for (const name of connection) found.texts.delete(name)
  found.dsnOrigin = origin
  add(found, variablesOfDsn(dsn), origin, false)
}

function addFileParts(found: Findings, path: string, { user, pass, dbname, warnings }: DatabaseFile): void {
  add(found, { db_user: user, db_database: dbname }, path)
  if (pass !== '') add(found, { db_pass: pass }, path)
  for (const warning of warnings) found.warnings.push(`${path}: ${warning}`)
}

function attempt<T>(found: Pick<Findings, 'problems'>, variable: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UnfitValue)) throw error
    found.problems.push({ variable, message: error.message, ...(error.hint !== undefined && { hint: error.hint }) })
    return undefined
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UnfitValue(`cannot be read (${(error as NodeJS.ErrnoException).code})`) // fs throws nothing else
  }
}
