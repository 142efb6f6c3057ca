import type { RowDataPacket } from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import { ServiceUnavailable } from './errors.js'
import { skipOrFail } from './skip-or-fail.js'
import { describeWithClickHouse, describeWithMySql, sharedClickHouse, sharedMySql } from './vitest.js'

const names = new Set<string>()

for (const place of ['here', 'there']) {
  await describeWithMySql(`MySQL ${place}`, (database) => {
    test('has an empty database of its own on the shared server', async () => {
      const connection = await database.connect()
      const [tables] = await connection.query<RowDataPacket[]>('show tables')
      await connection.end()
      expect(tables).toEqual([])
      expect(names).not.toContain(database.name)
      names.add(database.name)
      expect((await sharedMySql()).port).toBe(database.server.port)
    })
  })
}

describe('within another describe', async () => {
  await describeWithClickHouse('ClickHouse', (database) => {
    test('has an empty database on the shared server', async () => {
      expect(await database.query('show tables')).toBe('')
      expect((await sharedClickHouse()).httpPort).toBe(database.server.httpPort)
    })
  })
})

describe('what cannot be had', () => {
  const thrown = new ServiceUnavailable('No thing', { hint: 'Install it.' })

  test('is skipped on a machine of one’s own', () => {
    expect(skipOrFail(thrown, '')).toBe(thrown)
    expect(thrown.message).toBe('No thing\nInstall it.')
  })

  test('fails in CI, unless no CI has it either', () => {
    expect(() => skipOrFail(thrown, 'true')).toThrow('Install it')
    const never = new ServiceUnavailable('No mount', { alsoInCi: true })
    expect(skipOrFail(never, 'true')).toBe(never)
  })

  test('is not the same as what breaks', () => {
    expect(() => skipOrFail(new Error('broken'), '')).toThrow('broken')
  })
})
