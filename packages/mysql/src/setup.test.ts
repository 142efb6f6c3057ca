import { readFile } from 'node:fs/promises'
import { createSourceTables } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { connect, disconnect } from './connect.js'
import { archiveNeeds, checkNeeds, cleanupNeeds, createNeeds, grantSql, type Need, turnOnNeeds } from './grants.js'
import { MySqlSetup, SETUP_SESSION, turnOnSql } from './setup.js'
import { batchTableSql, skipTableSql, statusTableSql } from './tables.js'

await describeWithMySql('the tables beside the source table', (database) => {
  let root: Connection
  let tables = 0
  let table: string
  const run = (statement: string) => root.query(statement)

  beforeAll(async () => {
    root = await database.connect()
  })
  beforeEach(async () => {
    table = `scores_${tables++}`
    await createSourceTables(root, { table })
    await run(`drop table ${table}_archive_status`)
  })
  afterAll(() => root.end())

  async function setup<T>(work: (setup: MySqlSetup) => Promise<T>, login = {}): Promise<T> {
    const connection = await connect({ ...database.address, ...login }, SETUP_SESSION)
    onTestFinished(() => disconnect(connection))
    return work(new MySqlSetup(connection, table))
  }
  const look = () => setup((it) => it.tables())

  test('are missing, are made, and fit', async () => {
    const missing = await look()
    expect(missing.map(({ state }) => state)).toEqual(['missing', 'missing', 'missing'])
    await setup((it) => it.run(missing.map(({ sql }) => sql)))
    expect(await look()).toMatchObject(missing.map(() => ({ state: 'there', misfits: [] })))
    await setup((it) => it.run(turnOnSql(table, ['fileavro', 'clickhouse'])))
    expect(await setup((it) => it.archivers())).toEqual(['fileavro', 'clickhouse'])
  })

  test.each([
    ['partitioned', 'partition by range (id) (partition p values less than maxvalue)', /^is partitioned$/],
    ['of another engine', 'engine=MyISAM', /^has the engine MyISAM$/],
    ['whose ids are int', 'modify id int unsigned not null auto_increment', /^has ids of type int unsigned$/],
    ['whose ids have a sign', 'modify id bigint not null auto_increment', /^has ids of type bigint$/],
  ])('of a table %s: the status table is made without the key, and says why', async (_, change, why) => {
    await run(`alter table ${table} ${change}`)
    const [status, batch] = await look()
    expect(status).toMatchObject({ state: 'missing', withoutKey: expect.stringMatching(why) })
    expect(batch?.withoutKey).toBeUndefined()
    await setup(async (it) => it.run((await it.tables()).map(({ sql }) => sql)))
    await setup((it) => it.run(turnOnSql(table, ['fileavro'])))
    const [made] = await look()
    expect(made).toMatchObject({ state: 'there', misfits: [] })
    expect(made?.withoutKey).toBeUndefined()
  })

  test('those that the Go program has fit', async () => {
    await run(`drop table ${table}`)
    await createSourceTables(root, { table, archivers: ['clickhouse'] })
    expect((await look())[0]).toMatchObject({ state: 'there', misfits: [] })
  })

  test.each([
    [
      0,
      statusTableSql,
      'drop foreign key S_ibfk_1, modify log_score_id int null',
      /^the column log_score_id is int null, bigint unsigned null is/,
    ],
    [0, statusTableSql, 'drop key archiver', /^there is no unique key \(archiver\)$/],
    [0, statusTableSql, 'add who varchar(9) not null', /^the column who has no default$/],
    [0, statusTableSql, 'rename column modified_on to changed_on', /^there is no column modified_on$/],
    [1, batchTableSql, 'drop key one_planned', /^there is no unique key \(archiver, open\)$/],
    [1, batchTableSql, "modify state enum('planned', 'done') not null", /^the column state is enum/],
    [2, skipTableSql, 'drop column reason', /^there is no column reason$/],
  ])('table %i of another form is told: %#', async (index, sql, change, words) => {
    await run(sql(table))
    const { name } = (await look())[index]!
    await run(`alter table \`${name}\` ${change.replace('S', name)}`)
    const { misfits } = (await look())[index]!
    expect(misfits).toEqual([expect.stringMatching(words)])
  })

  test('a new foreign key does not wait for long queries, as inserts would queue up behind it', async () => {
    const busy = await database.connect()
    onTestFinished(() => busy.end())
    await busy.query('start transaction')
    await busy.query(`select * from ${table}`)
    await busy.query(`insert into ${table} (server_id, ts) values (1, now())`)
    const startedMs = performance.now()
    const making = setup((it) => it.run([statusTableSql(table)]))
    // MariaDB does not wait for them at all.
    if (database.server.kind === 'mariadb') await making
    else await expect(making).rejects.toMatchObject({ retryable: true, message: expect.stringMatching(/lock/i) })
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })

  describe('rights', () => {
    const user = `rights_${database.name}`
    const role = `role_${database.name}`
    const needs = () => [...archiveNeeds(table), ...cleanupNeeds(table)]
    const lacking = async (asked: readonly Need[]) => {
      const connection = await connect({ ...database.address, user, password: 'pw' })
      onTestFinished(() => disconnect(connection))
      const answers = await checkNeeds(connection, asked)
      expect(answers.filter(({ answer }) => answer === 'unknown')).toEqual([])
      return answers
        .filter(({ answer }) => answer === 'lacking')
        .map(({ privilege, table: name }) => `${privilege} ${name.replace(table, 'T')}`)
    }
    beforeEach(async () => {
      await run(`create user '${user}'@'%' identified by 'pw'`)
      onTestFinished(async () => void (await run(`drop user '${user}'@'%'`)))
      // Without any right in a database nobody gets in.
      await run('create table if not exists open_to_all (id int)')
      await run(`grant select on open_to_all to '${user}'@'%'`)
    })

    test('that are lacking are told one by one, also those on tables that are not there yet', async () => {
      await run(`grant select on ${table} to '${user}'@'%'`)
      await run(`grant select, insert, create on ${table}_archive_batch to '${user}'@'%'`)
      expect(await lacking(needs())).toEqual([
        'SELECT T_archive_status',
        'UPDATE T_archive_status',
        'UPDATE T_archive_batch',
        'DELETE T_archive_batch',
        'SELECT T_archive_skip',
        'INSERT T_archive_skip',
        'DELETE T',
      ])
      expect(await lacking(createNeeds(table, [`${table}_archive_batch`, `${table}_archive_skip`]))).toEqual([
        'CREATE T_archive_skip',
      ])
      expect(await lacking(turnOnNeeds(table))).toEqual(['INSERT T_archive_status'])
    })

    test.each([
      ['on the database', `\`${database.name}\``],
      ['by a pattern', `\`${database.name.slice(0, -3).replace('_', '\\_')}%\``],
    ])('all of them, granted %s', async (_, name) => {
      await run(`grant all privileges on ${name}.* to '${user}'@'%'`)
      expect(await lacking([...needs(), ...createNeeds(table, [`${table}_archive_status`])])).toEqual([])
    })

    test('by a role count once the role is on', async () => {
      await run(`create role '${role}'`)
      onTestFinished(async () => void (await run(`drop role '${role}'`)))
      await run(`grant select, insert, update, delete on \`${database.name}\`.* to '${role}'`)
      await run(`grant '${role}' to '${user}'@'%'`)
      expect(await lacking(needs())).toHaveLength(needs().length)
      const forWhom = database.server.kind === 'mariadb' ? 'for' : 'to'
      await run(`set default role '${role}' ${forWhom} '${user}'@'%'`)
      expect(await lacking(needs())).toEqual([])
    })

    test('on columns are enough where the program names them', async () => {
      await run(statusTableSql(table))
      await run(`grant update (log_score_id, modified_on) on ${table}_archive_status to '${user}'@'%'`)
      const update = needs().filter(({ table: name, privilege }) => /status/.test(name) && privilege === 'UPDATE')
      expect(update).toHaveLength(1)
      expect(await lacking(update)).toEqual([])
    })

    test('are asked for without anything being run', async () => {
      for (const sql of [statusTableSql(table), batchTableSql(table), skipTableSql(table)]) await run(sql)
      await run(`insert into ${table}_archive_status (archiver) values ('fileavro')`)
      await run(`insert into ${table} (server_id, ts) values (1, now())`)
      const connection = await connect(database.address)
      onTestFinished(() => disconnect(connection))
      const all = [...needs(), ...createNeeds(table, [`${table}_archive_status`, 'not_there']), ...turnOnNeeds(table)]
      expect((await checkNeeds(connection, all)).every(({ answer }) => answer === 'granted')).toBe(true)
      const count = async (name: string) => (await root.query<RowDataPacket[]>(`select * from ${name}`))[0].length
      expect(
        await Promise.all(['', '_archive_status', '_archive_batch', '_archive_skip'].map((s) => count(table + s))),
      ).toEqual([1, 1, 0, 0])
      await expect(run('select * from not_there')).rejects.toThrow("doesn't exist")
    })

    test('are those of the documentation', async () => {
      const page = await readFile('../../docs/init.md', 'utf8')
      const rows = [...page.matchAll(/^\|[^|]*\| `(\w+)` \| ((?:`[A-Z]+`(?:, )?)+) \|$/gm)]
      const documented = rows.flatMap(([, name, list]) => list!.match(/[A-Z]+/g)!.map((right) => `${right} ${name}`))
      const all = [...archiveNeeds('T'), ...cleanupNeeds('T'), ...turnOnNeeds('T')]
      expect(documented.sort()).toEqual(all.map(({ privilege, table: name }) => `${privilege} ${name}`).sort())
    })

    test('are granted by the statement that is printed', async () => {
      const { account } = await setup((it) => it.session(), { user, password: 'pw' })
      expect(account).toBe(`${user}@%`)
      await run(grantSql(account, database.name, table, ['SELECT', 'DELETE']))
      expect(await lacking([...archiveNeeds(table).slice(0, 1), ...cleanupNeeds(table)])).toEqual([])
      expect(grantSql("o'brien@10.0.%", 'a`b', 't', ['SELECT'])).toBe(
        "grant select on `a``b`.`t` to 'o''brien'@'10.0.%'",
      )
    })
  })
})
