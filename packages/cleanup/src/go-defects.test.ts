import { askRows } from '@archiver/mysql'
import { describeWithMySql } from '@archiver/testkit/vitest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeBlocked } from './index.js'
import { upTo, Workbench } from './testing/workbench.js'

// What the Go program's cleaner gets wrong: one test for each.
await describeWithMySql('unlike the Go program', (database) => {
  let bench: Workbench
  beforeEach(async () => {
    bench = await Workbench.open(database, ['clickhouse', 'fileavro'])
    await bench.insert(100, 20)
    await bench.archiveAll(100n)
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  test('an archiver that has stored nothing blocks deletion, and is named with the two ways out', async () => {
    await bench.mark('fileavro', null)
    const { rows, end } = await bench.clean({ policy: { verify: 'off' } })
    expect(rows).toBe(0)
    expect(await bench.ids()).toEqual(upTo(100))
    const text = end.why === 'blocked' ? describeBlocked(end.blocked, bench.table) : undefined
    expect(text?.why).toContain('fileavro')
    expect(text?.hint).toMatch(/let it catch up .* or turn it off: delete from .* where archiver in \('fileavro'\);/)
  })

  test('the table asked for is cleaned, and no other', async () => {
    await using other = await Workbench.open(database, ['clickhouse'])
    await other.insert(50, 20)
    await other.archiveAll(50n)
    expect((await other.clean()).rows).toBe(49)
    expect(await bench.ids()).toEqual(upTo(100))
  })

  test('the reduced interval after a full run holds in the next process', async () => {
    const policy = { maxRows: 10, intervalMs: 10_000, reducedIntervalMs: 0, verify: 'off' } as const
    const status = `update ${bench.table}_archive_status set modified_on = now() - interval 1 minute`
    await bench.query(`${status} where archiver = 'cleanup'`)
    for (let i = 0; i < 9; i++) expect((await bench.clean({ policy })).rows).toBe(10)
    expect((await bench.clean({ policy })).rows).toBe(9)
    expect((await bench.clean({ policy })).end).toMatchObject({ why: 'not-due' })
  })

  test('the time zone of server and session does not matter', async () => {
    await bench.query(
      `update ${bench.table} set ts = utc_timestamp() - interval 14 day + interval 1 hour where id > 50`,
    )
    await bench.clean({ policy: { verify: 'off' } })
    expect(await bench.ids()).toEqual(upTo(100, 51))
    await askRows(bench.control, "set time_zone = '+10:00'")
    await bench.clean({ policy: { verify: 'off' } })
    expect(await bench.ids()).toEqual(upTo(100, 51))
  })

  test('rows that a crash left out of an archive are stored before they are deleted', async () => {
    bench.shelf('clickhouse').drop(33n)
    expect((await bench.clean()).rows).toBe(99)
    expect(bench.shelf('clickhouse').holds(33n)).toBe(true)
  })
})
