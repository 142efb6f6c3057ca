import { chunksFromRows, type LogScore, type LogScoreChunk, rowsFromChunk } from '@archiver/core'
import { MySqlRestoreTarget } from '@archiver/mysql'
import { createSourceTables } from '@archiver/testkit'
import { describeWithMySql } from '@archiver/testkit/vitest'
import type { Connection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { restore } from './restore.js'

const texts = [
  null,
  '{"leap":0}',
  '{"leap":3,"error":"bad stratum 0"}',
  '{"error":"時計 \\"quoted\\" \\\\","from_ls_id":999999,"from_ss_id":170719}',
  '{ "warning" : "late", "x": [1, {"b": 1, "a": null}] }',
]

const rows: readonly LogScore[] = Array.from({ length: 500 }, (_, i) => {
  const json = texts[i % texts.length]!
  const { leap, error = null, warning = null } = JSON.parse(json ?? '{}') as Partial<LogScore> // one of the texts above
  return {
    ...{ id: BigInt(i + 1), monitorId: 24, serverId: 1, tsSeconds: 1_793_491_200, score: 1, step: 1, offset: null },
    ...{ rtt: null, leap: leap || null, error, warning, json },
  }
})

await describeWithMySql('into a table whose attributes are of type', (database) => {
  let connection: Connection
  beforeAll(async () => {
    connection = await database.connect()
  })
  afterAll(() => connection.end())

  test.each(['json', 'longtext', 'varchar(500)'])(
    '%s: the same values come back, and the next run finds them',
    async (type) => {
      const table = `into_${type.slice(0, 4)}`
      await createSourceTables(connection, { table })
      await connection.query(`alter table ${table} modify attributes ${type}`)
      await using target = await MySqlRestoreTarget.open({
        settings: database.address,
        ...{ table, like: table, retentionDays: 36_500 },
      })
      const bringBack = () =>
        restore({
          reader: { read: () => exact(chunksFromRows(rows)) },
          ...{ table, target, range: { afterId: 0n, upToId: 2n ** 62n }, signal: new AbortController().signal },
        })
      expect(await bringBack()).toMatchObject({ restored: rows.length, rounded: 0 })
      const held: LogScore[] = []
      for await (const chunk of target.source.read({ afterId: 0n, upToId: 2n ** 62n }))
        held.push(...rowsFromChunk(chunk))
      const valuesOf = ({ json, ...row }: LogScore) => ({ ...row, json: JSON.parse(json ?? 'null') as unknown })
      expect(held.map(valuesOf)).toEqual(rows.map(valuesOf))
      expect(await bringBack()).toMatchObject({ restored: 0, same: rows.length, different: 0 })
      await connection.query(`update ${table} set attributes = '{"leap":2}' where id = 3`)
      expect(await bringBack()).toMatchObject({ same: rows.length - 1, differences: [{ id: 3n }] })
    },
  )
})

async function* exact(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<LogScoreChunk> {
  for await (const chunk of chunks) yield { ...chunk, exact: true }
}
