import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MySqlSource } from './source.js'

await describeWithMySql('the next id of a table', (database) => {
  let connection: Connection
  beforeAll(async () => {
    connection = await database.connect()
  })
  afterAll(() => connection.end())

  async function nextId(table: string): Promise<bigint> {
    await using source = new MySqlSource({ settings: database.address, table })
    return await source.nextId()
  }

  test('is 1 for a fresh table, and counts ids whose rows are gone or were rolled back', async () => {
    await connection.query('create table fresh (id bigint unsigned not null auto_increment primary key, n int)')
    expect(await nextId('fresh')).toBe(1n)
    await connection.query('insert into fresh (n) values (1), (2), (3)')
    await connection.query('delete from fresh')
    expect(await nextId('fresh')).toBe(4n)
    await connection.beginTransaction()
    await connection.query('insert into fresh (n) values (4)')
    await connection.rollback()
    expect(await nextId('fresh')).toBe(5n)
  })

  test('is not taken from names, comments or defaults', async () => {
    await connection.query(`create table \`auto_increment=77\` (
      id bigint unsigned not null auto_increment primary key comment ') ENGINE=InnoDB AUTO_INCREMENT=78',
      n varchar(99) default '\\n) AUTO_INCREMENT=79'
    ) comment 'it''s\\n) ENGINE=InnoDB AUTO_INCREMENT=80'`)
    expect(await nextId('auto_increment=77')).toBe(1n)
    await connection.query('insert into `auto_increment=77` () values ()')
    expect(await nextId('auto_increment=77')).toBe(2n)
  })

  test('of ids, those are told that a row has', async () => {
    await connection.query('create table some (id bigint unsigned not null auto_increment primary key, n int)')
    const far = 2n ** 64n - 9n
    await connection.query(`insert into some (id) values (1), (3), (${far})`)
    await using source = new MySqlSource({ settings: database.address, table: 'some' })
    expect(await source.existingIds([1n, 2n, 3n, far, far + 1n])).toEqual([1n, 3n, far])
    expect(await source.existingIds([])).toEqual([])
  })
})
