import { createDatabase } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeBlocked } from './blocked.js'
import { upTo, Workbench } from './testing/workbench.js'

await describeWithMySql('rows that others point to', (database) => {
  let bench: Workbench
  beforeEach(async () => {
    bench = await Workbench.open(database)
    await bench.insert(100, 20)
    await bench.insert(50, 2, 101n)
    await bench.archiveAll(150n)
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  /** A table that points to these rows. */
  async function pointers(name: string, ids: readonly number[], rule = ''): Promise<string> {
    const table = name.includes('.') ? name : `${bench.table}_${name}`
    await bench.query(`create table ${table} (id int not null auto_increment primary key, log_score_id bigint unsigned,
      foreign key (log_score_id) references ${database.name}.${bench.table} (id) ${rule}) engine=InnoDB`)
    for (const id of ids) await bench.query(`insert into ${table} (log_score_id) values (?)`, [id])
    return table
  }

  test('are kept, exactly they, and the run says how many and for which table', async () => {
    const scorers = await pointers('scorers', [17, 17, 60, 140])
    const notes = await pointers('notes', [60, 61])
    expect(await bench.clean()).toMatchObject({
      rows: 97,
      kept: [
        { table: notes, rows: 2 },
        { table: scorers, rows: 2 },
      ],
    })
    expect(await bench.ids()).toEqual([17, 60, 61, ...upTo(150, 101)])
    expect(bench.eventsOf('cleanup.kept')).toMatchObject([{ table: notes }, { table: scorers }])
  })

  test('are passed over by every later run, and deleted once nobody points to them', async () => {
    const scorers = await pointers('scorers', [17, 60])
    await bench.clean()
    await bench.query(`update ${bench.table} set ts = utc_timestamp() - interval 20 day where id <= 140`)
    bench.shelf().rows = []
    await bench.archiveAll(150n)
    expect(await bench.clean()).toMatchObject({ rows: 40, kept: [{ table: scorers, rows: 2 }] })
    expect(bench.shelf().batches).toEqual([])
    expect(await bench.clean()).toMatchObject({ rows: 0, kept: [{ table: scorers, rows: 2 }] })
    await bench.query(`delete from ${scorers} where log_score_id = 17`)
    expect(await bench.clean()).toMatchObject({ rows: 1, kept: [{ table: scorers, rows: 1 }] })
    expect(await bench.ids()).toEqual([60, ...upTo(150, 141)])
  })

  test('more of them than a run passes over as too young do not end it', async () => {
    await bench.query(`delete from ${bench.table} where id < 150`)
    await bench.insert(12_000, 30, 1_000n)
    await bench.insert(100, 20, 20_000n)
    await bench.insert(1, 1, 30_000n)
    await bench.archiveAll(30_000n)
    const notes = await pointers('notes', [])
    await bench.query(
      `insert into ${notes} (log_score_id) select id from ${bench.table} where id between 1000 and 12999`,
    )
    expect(await bench.clean()).toMatchObject({ rows: 100, kept: [{ table: notes, rows: 12_000 }] })
  })

  test('from another database are found too', async () => {
    const other = await createDatabase(database.server)
    await pointers(`${other.name}.scorers`, [33])
    expect(await bench.clean()).toMatchObject({ rows: 99, kept: [{ table: `${other.name}.scorers`, rows: 1 }] })
    await other.drop()
  })

  test('by a key of several columns are found by all of them', async () => {
    const table = `${bench.table}_wide`
    await bench.query(`alter table ${bench.table} add unique key id_server (id, server_id)`)
    await bench.query(`create table ${table} (a bigint unsigned, b int unsigned,
      foreign key (a, b) references ${bench.table} (id, server_id)) engine=InnoDB`)
    await bench.query(`insert into ${table} select id, server_id from ${bench.table} where id = 44`)
    expect(await bench.clean()).toMatchObject({ rows: 99, kept: [{ table, rows: 1 }] })
  })

  test.each(['on delete cascade', 'on delete set null'])('%s are not kept: the key says what happens', async (rule) => {
    await pointers('notes', [20, 30], rule)
    expect(await bench.clean()).toMatchObject({ rows: 100, kept: [] })
  })

  test('that somebody points to after the run has looked: the range is looked at again', async () => {
    const scorers = await pointers('scorers', [])
    let times = 0
    bench.shelf().onAsked = async () => {
      if (++times === 1) await bench.query(`insert into ${scorers} (log_score_id) values (50)`)
    }
    expect(await bench.clean()).toMatchObject({ rows: 99, kept: [{ table: scorers, rows: 1 }] })
  })

  test('through a key that is made after the run has looked: they are kept', async () => {
    let made = false
    bench.shelf().onAsked = async () => {
      if (made) return
      made = true
      await pointers('scorers', [50])
    }
    expect(await bench.clean()).toMatchObject({ rows: 99 })
    expect(await bench.ids()).toContain(50)
  })

  describe('and rows that the server refuses to delete', () => {
    test('a trigger is named with its row, and nothing of the range is deleted', async () => {
      await bench.query(`create trigger ${bench.table}_guard before delete on ${bench.table} for each row
        if old.id in (71, 90) then signal sqlstate '45000' set message_text = 'this row is evidence'; end if`)
      const { rows, end } = await bench.clean()
      expect(rows).toBe(0)
      expect(end).toMatchObject({
        why: 'blocked',
        blocked: { reason: 'delete-refused', id: 71n, triggers: [`${bench.table}_guard`] },
      })
      if (end.why !== 'blocked') return
      const { why, hint } = describeBlocked(end.blocked, bench.table)
      expect(why).toMatch(/row 71 of .*this row is evidence/)
      expect(hint).toMatch(`${bench.table}_guard`)
      expect(await bench.ids()).toHaveLength(150)
      await bench.query(`drop trigger ${bench.table}_guard`)
      expect(await bench.clean()).toMatchObject({ rows: 100 })
    })

    test('a foreign key that the account cannot see is named by the row that it keeps', async () => {
      const scorers = await pointers('scorers', [64])
      const { table } = bench
      await using limited = await bench.limitedTo([
        `grant select, update, insert, delete on ${database.name}.${table} to`,
        `grant select, update, insert, delete on ${database.name}.${table}_archive_status to`,
        `grant select, update, insert, delete on ${database.name}.${table}_archive_batch to`,
        `grant select, create on ${database.name}.${table}_archive_skip to`,
      ])
      const { end } = await limited.clean()
      expect(end).toMatchObject({ why: 'blocked', blocked: { reason: 'delete-refused', id: 64n } })
      if (end.why !== 'blocked') return
      expect(describeBlocked(end.blocked, table).hint).toMatch(/Grant the account SELECT/)
      await limited.grant(`grant select on ${database.name}.${scorers} to`)
      expect(await limited.clean()).toMatchObject({ rows: 99, kept: [{ table: scorers, rows: 1 }] })
    })
  })
})
