import type { RowDataPacket } from 'mysql2/promise'
import { describe, expect, test, vi } from 'vitest'
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

describe('a service that cannot be had', () => {
  const thrown = new ServiceUnavailable('install it')

  test('is said and skipped on a machine of one’s own', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(skipOrFail(thrown, '')).toBe(thrown)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('install it'))
    warn.mockRestore()
  })

  test('fails in CI', () => {
    expect(() => skipOrFail(thrown, 'true')).toThrow('install it')
  })

  test('is not the same as one that breaks', () => {
    expect(() => skipOrFail(new Error('broken'), '')).toThrow('broken')
  })
})
