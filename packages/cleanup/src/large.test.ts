import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leaseUntil } from '@archiver/core'
import { runPass } from '@archiver/core/engine'
import { createFileAvroArchiver } from '@archiver/file-avro'
import { createDatabase, fillTable, generateRows, type MySqlDatabase } from '@archiver/testkit'
import { describeWithOwnMySql } from '@archiver/testkit/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Workbench } from './testing/workbench.js'

/** CLEANUP_ROWS=1000000 is what the figures in the README were measured with. */
const rows = Number(process.env.CLEANUP_ROWS ?? 60_000)

const serverArgs = ['--slow-query-log=1', '--long-query-time=1', '--log-output=TABLE', '--innodb-buffer-pool-size=1G']

await describeWithOwnMySql(
  'a large backlog, in files',
  (server) => {
    let database: MySqlDatabase
    let bench: Workbench
    let path: string
    beforeAll(async () => {
      database = await createDatabase(server)
      bench = await Workbench.open(database, ['fileavro'])
      path = await mkdtemp(join(tmpdir(), 'cleanup-'))
      const old = generateRows({ rows, startSeconds: Math.floor(Date.now() / 1000) - 40 * 86_400 })
      await fillTable(bench.connection, bench.table, old)
    })
    afterAll(async () => {
      await bench[Symbol.asyncDispose]()
      await rm(path, { recursive: true })
    })

    const batch = { minRows: 1, maxRows: Math.ceil(rows / 4), intervalMs: 0 }
    const open = async () => createFileAvroArchiver({ path, batch })

    async function archive(): Promise<void> {
      const { table, ledger, source } = bench
      const result = await runPass({
        table,
        ledger,
        source,
        lease: leaseUntil(),
        only: ['fileavro'],
        open,
        settleMs: 0,
        onEvent: () => {},
      })
      expect(result.failed.size).toBe(0)
    }

    test('goes in ranges, no statement of which takes a second', async () => {
      await archive()
      await bench.insertRow({ id: BigInt(rows) + 5n, tsSeconds: Math.floor(Date.now() / 1000) })
      const startedMs = performance.now()
      let deleted = 0
      for (let run = 0; run < 20 && deleted < rows - 1; run++) deleted += (await bench.clean({ open })).rows
      const elapsedMs = performance.now() - startedMs
      expect(await bench.ids()).toEqual([rows, rows + 5])
      const ranges = bench.eventsOf('cleanup.deleted').map((event) => event.elapsedMs)
      const slow = await bench.query('select sql_text from mysql.slow_log')
      const most = Math.max(...ranges)
      console.log(`${deleted} rows in ${elapsedMs.toFixed(0)} ms, the longest transaction ${most.toFixed(0)} ms`)
      expect(slow.filter(({ sql_text: text }) => /delete|for update/.test(String(text)))).toEqual([])
      expect(most).toBeLessThan(1_000)
    })
  },
  { serverArgs },
)
