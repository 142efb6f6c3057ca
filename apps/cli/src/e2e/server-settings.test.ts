import { createDatabase, existingMySql, type MySqlServer, startMariaDb } from '@archiver/testkit'
import { skipOrFail } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { tableRows } from './restore-bench.js'
import { Workplace } from './workplace.js'

/**
 * A server of the tests' own, whose global variables they may change, beside the private MariaDB; for MySQL:
 * `ARCHIVER_TEST_SETTINGS_MYSQL_URL=mysql://root@127.0.0.1:13309/ npx vitest run src/e2e/server-settings.test.ts`.
 */
const MYSQL_URL = process.env.ARCHIVER_TEST_SETTINGS_MYSQL_URL
/** Each variable alone, which takes minutes: to find out which of them breaks something. */
const ONE_BY_ONE = process.env.ARCHIVER_TEST_EACH_SETTING === '1'

type Setting = readonly [name: string, value: string]

/** Global variables that a session inherits, each with the value of an unkind operator. */
const BOTH: readonly Setting[] = [
  ['autocommit', '0'],
  ['completion_type', "'CHAIN'"],
  ['completion_type', "'RELEASE'"],
  ['sql_mode', "'NO_BACKSLASH_ESCAPES'"],
  ['sql_mode', "'ANSI,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE'"],
  ['sql_mode', "'TRADITIONAL,ONLY_FULL_GROUP_BY,PAD_CHAR_TO_FULL_LENGTH'"],
  ['time_zone', "'+09:00'"],
  ['character_set_client', "'latin1'"],
  ['character_set_results', "'latin1'"],
  ['character_set_connection', "'latin1'"],
  ['collation_connection', "'utf8mb4_unicode_ci'"],
  ['lc_messages', "'de_DE'"],
  ['sql_safe_updates', '1'],
  ['sql_select_limit', '1'],
  ['max_join_size', '1'],
  ['sql_auto_is_null', '1'],
  ['div_precision_increment', '0'],
  ['max_error_count', '0'],
  ['sql_notes', '0'],
  ['sql_quote_show_create', '0'],
  ['foreign_key_checks', '0'],
  ['unique_checks', '0'],
  ['wait_timeout', '1'],
  ['net_read_timeout', '1'],
  ['net_write_timeout', '1'],
  ['lock_wait_timeout', '1'],
  ['innodb_lock_wait_timeout', '1'],
  ['auto_increment_increment', '7'],
  ['local_infile', '0'],
  ['init_connect', "'set autocommit=0, sql_mode=NO_BACKSLASH_ESCAPES'"],
]
const OF_KIND: Readonly<Record<MySqlServer['kind'], readonly Setting[]>> = {
  mariadb: [
    ['sql_mode', "'ORACLE'"],
    ['tx_isolation', "'SERIALIZABLE'"],
    ['tx_read_only', '1'],
    ['max_statement_time', '0.001'],
    ['old_mode', "'NO_DUP_KEY_WARNINGS_WITH_IGNORE,NO_PROGRESS_INFO'"],
    ['check_constraint_checks', '0'],
    ['idle_transaction_timeout', '1'],
    ['innodb_snapshot_isolation', '1'],
  ],
  mysql: [
    ['transaction_isolation', "'READ-UNCOMMITTED'"],
    ['transaction_isolation', "'SERIALIZABLE'"],
    ['transaction_read_only', '1'],
    ['max_execution_time', '1'],
    ['default_collation_for_utf8mb4', "'utf8mb4_general_ci'"],
    ['sql_require_primary_key', '1'],
    ['sql_generate_invisible_primary_key', '1'],
    ['information_schema_stats_expiry', '86400'],
  ],
}

const REASON = `it's a \\' "reason" \\`
const TEXT = '{"error":"時計 🕰️ it\'s \\\\ \\" \\u0000"}'
const DAY_SECONDS = 86_400

const SERVERS: readonly { readonly kind: string; readonly start: () => Promise<MySqlServer> }[] = [
  { kind: 'MariaDB', start: () => startMariaDb() },
  ...(MYSQL_URL === undefined ? [] : [{ kind: 'MySQL', start: () => existingMySql(MYSQL_URL) }]),
]

describe.each(SERVERS)('every command works on $kind with', async ({ start }) => {
  const server = await start().catch((thrown: unknown) => skipOrFail(thrown))
  if (!('kind' in server)) {
    test.skip('needs a server of its own')
    return
  }
  let place: Workplace
  let admin: Connection
  beforeAll(async () => {
    const database = await createDatabase(server)
    place = await Workplace.open(database)
    admin = await database.connect()
    // Not root: the server spares it init_connect, and lets it set more.
    await admin.query("drop user if exists 'plain'@'%', 'plain'@'localhost'")
    await admin.query("create user 'plain'@'%' identified by 'pw'")
    await admin.query(`grant all on \`${database.name}\`.* to 'plain'@'%'`)
  })
  afterAll(async () => {
    await place.close()
    await admin.end()
    await server.stop()
  })
  afterEach(() => place.connection.query('drop table if exists restored'))

  test.each(combined([...BOTH, ...OF_KIND[server.kind]]))('$label', { timeout: 600_000 }, async ({ settings }) => {
    await prepare()
    for (const [name, value] of settings) await setGlobally(name, value)
    await archiveAndVerify()
    await skipARow()
    await moveTheMark()
    await cleanUpAndRestore()
  })

  /** 40 old rows and some young ones; a text of every kind of letter in one. */
  async function prepare(): Promise<void> {
    await place.reset(0, ['fileavro'])
    const nowSeconds = Math.floor(Date.now() / 1000)
    const sql =
      'insert into log_scores (id, monitor_id, server_id, ts, score, step, `offset`, rtt, attributes) values ' +
      '(?, 7, ?, from_unixtime(?), 19.9, 1, 0.0012, 1234, ?)'
    for (let id = 1; id <= 50; id++) {
      const ts = nowSeconds - (id <= 40 ? 40 * DAY_SECONDS : 3_600) + id
      await place.connection.query(sql, [id, id % 5, ts, id % 10 === 3 ? TEXT : null])
    }
    await place.connection.query('create table restored like log_scores')
    Object.assign(place.env, {
      db_user: 'plain',
      db_pass: 'pw',
      archive_settle: '0s',
      avro_schema: '2',
      quarantine_path: place.folder,
    })
  }

  async function setGlobally(name: string, value: string): Promise<void> {
    const [[row]] = await admin.query<RowDataPacket[]>(`select @@global.${name} as old`)
    const text = String(row?.old ?? '')
    // The driver gives numbers beyond 2^53-1 as texts, which the server does not take for numbers.
    const old = /^\d{16,}$/.test(text) ? BigInt(text) : (row?.old ?? '')
    onTestFinished(async () => void (await admin.query(`set global ${name} = ?`, [old])))
    await admin.query(`set global ${name} = ${value}`)
  }

  async function archiveAndVerify(): Promise<void> {
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.marks()).toEqual({ fileavro: 50 })
    expect((await place.fileRows()).find(({ id }) => id === 13n)?.json).toBe(TEXT)
    expect(await place.run('verify', '--deep')).toMatchObject({ code: 0 })
    expect(await place.run('status')).toMatchObject({ code: 0 })
  }

  async function skipARow(): Promise<void> {
    await place.connection.query(
      'insert into log_scores (id, server_id, ts, attributes) values (51, 1, utc_timestamp(), ?)',
      [TEXT],
    )
    expect(await place.run('skip', 'fileavro', '51', '--reason', REASON)).toMatchObject({ code: 0 })
    const [[skipped]] = await place.connection.query<RowDataPacket[]>('select * from log_scores_archive_skip')
    expect(skipped).toMatchObject({ row_id: 51, reason: REASON })
    expect(JSON.parse(String(skipped?.row_json))).toMatchObject({ id: 51, attributes: TEXT })
  }

  async function moveTheMark(): Promise<void> {
    expect(await place.run('mark', 'fileavro', '--set', '20', '--reason', REASON, '--yes')).toMatchObject({ code: 0 })
    const [[moved]] = await place.connection.query<RowDataPacket[]>(
      "select identity from log_scores_archive_batch where state = 'moved'",
    )
    expect(moved).toEqual({ identity: REASON })
    expect(await place.run('archive')).toMatchObject({ code: 0 })
    expect(await place.marks()).toEqual({ fileavro: 50 })
  }

  async function cleanUpAndRestore(): Promise<void> {
    const before = await tableRows(place.mysql.address, 'log_scores')
    await place.connection.query(
      "insert into log_scores_archive_status (archiver, modified_on) values ('cleanup', '2026-01-01')",
    )
    Object.assign(place.env, { cleanup_max_lag: '0s', cleanup_pause: '0s' })
    const cleaned = await place.run('archive')
    expect(cleaned.code, cleaned.stderr).toBe(0)
    const [[left]] = await place.connection.query<RowDataPacket[]>('select min(id) as first from log_scores')
    expect(left, cleaned.stderr).toEqual({ first: 41 })
    expect(await place.run('restore', 'fileavro', '--into', 'restored')).toMatchObject({ code: 0 })
    expect(await tableRows(place.mysql.address, 'restored')).toEqual(before.filter(({ id }) => id <= 50n))
  }
})

/** The first value of every variable at once, then every second value, and so on. */
function combined(all: readonly Setting[]): { label: string; settings: readonly Setting[] }[] {
  if (ONE_BY_ONE) return all.map((setting) => ({ label: setting.join(' = '), settings: [setting] }))
  const groups: Setting[][] = []
  for (const setting of all) {
    const group = groups.find((one) => one.every(([name]) => name !== setting[0])) ?? groups[groups.push([]) - 1]
    group?.push(setting)
  }
  return groups.map((settings) => ({ label: settings.map((one) => one.join(' = ')).join(', '), settings }))
}
