import { DAY_SECONDS, type LogScore, type ScanQuery } from '@archiver/core'
import { expect } from 'vitest'
import type { ReadCheck } from './read-checks.js'
import type { ReaderBench } from './reader-bench.js'
import { edgeRows, ordinaryRows } from './rows.js'

const everything = { afterId: 0n, upToId: 2n ** 63n - 1n }

/** What `scan` promises: the rows that a query wants, all of them, and no other. */
export const scanChecks: readonly ReadCheck[] = [
  {
    name: 'a scan of an archive that is not there gives no row',
    async run(bench) {
      expect(await bench.scan({ ...everything, serverId: 1, limit: 10 })).toEqual([])
      expect(await bench.scan({ ...everything, serverId: 1 })).toEqual([])
      expect(await bench.scan({ ...everything, fromSeconds: 1 })).toEqual([])
    },
  },
  {
    name: 'a scan gives the rows of a server, a monitor, a time, or of all at once, and no other',
    async run(bench) {
      const rows = fewServers(400)
      await bench.fill(rows, 150)
      const stored = rows.map((row) => bench.convert(row))
      const { id, tsSeconds } = rows[250]!
      const queries: Partial<ScanQuery>[] = [
        {},
        { serverId: 3 },
        { monitorId: 5 },
        { monitorId: 0 },
        { fromSeconds: tsSeconds },
        { toSeconds: tsSeconds },
        { fromSeconds: tsSeconds, toSeconds: tsSeconds },
        { fromSeconds: tsSeconds - 5 * DAY_SECONDS, toSeconds: tsSeconds + DAY_SECONDS },
        { serverId: 2, monitorId: 4 },
        { serverId: 2, fromSeconds: tsSeconds - 9 * DAY_SECONDS, toSeconds: tsSeconds },
        { serverId: 1, afterId: id },
        { serverId: 1, upToId: id },
        { monitorId: 3, afterId: id - 60n, upToId: id + 60n },
        { serverId: 77 },
        { serverId: 1, fromSeconds: tsSeconds + 1000 * DAY_SECONDS },
      ]
      for (const query of queries) await expectScan(bench, stored, query)
    },
  },
  {
    name: 'a scan with a limit gives the rows with the lowest ids',
    async run(bench) {
      const rows = fewServers(300)
      await bench.fill(rows, 110)
      const stored = rows.map((row) => bench.convert(row))
      for (const limit of [1, 7, 120, 300, 10_000_000]) {
        await expectScan(bench, stored, { limit })
        await expectScan(bench, stored, { limit, serverId: 2 })
        await expectScan(bench, stored, { limit, monitorId: 3, afterId: rows[100]!.id })
      }
    },
  },
  {
    name: 'a scan gives a row that is there twice twice, and values at the edges as they are',
    async run(bench) {
      const rows = edgeRows().filter((row) => !bench.refusal(row))
      await bench.fill(rows, 40)
      const stored = rows.map((row) => bench.convert(row))
      const { serverId, monitorId } = stored[0]!
      await expectScan(bench, stored, { serverId })
      await expectScan(bench, stored, { monitorId: monitorId! })
      await expectScan(bench, stored, { monitorId: 2_147_483_647 })
      await bench.subject.tamper(bench.table, (row) => (row.id === rows[5]!.id ? [row, row] : [row]))
      await expectScan(
        bench,
        stored.flatMap((row, i) => (i === 5 ? [row, row] : [row])),
        { serverId },
      )
    },
  },
  {
    name: 'a scan ends when it is aborted, with the reason of the signal, and when nobody asks for more',
    async run(bench) {
      await bench.fill(fewServers(200), 100)
      const reader = await bench.reader()
      const reason = new Error('enough')
      const stop = new AbortController()
      const aborted = async () => {
        for await (const _ of reader.scan(bench.table, everything, stop.signal)) stop.abort(reason)
        stop.signal.throwIfAborted()
      }
      await expect(aborted()).rejects.toBe(reason)
      for await (const chunk of reader.scan(bench.table, everything, new AbortController().signal)) {
        expect(chunk.rows).toBeGreaterThan(0)
        break
      }
      expect(await bench.scan({ ...everything, limit: 1 })).toHaveLength(1)
    },
  },
]

async function expectScan(bench: ReaderBench, stored: readonly LogScore[], wanted: Partial<ScanQuery>): Promise<void> {
  const query = { ...everything, ...wanted }
  const expected = stored.filter((row) => isWanted(row, query)).slice(0, query.limit)
  expect(
    await bench.scan(query),
    JSON.stringify(wanted, (_, value: unknown) => String(value)),
  ).toEqual(expected)
}

function isWanted(row: LogScore, query: ScanQuery): boolean {
  const { serverId = row.serverId, monitorId = row.monitorId ?? 0 } = query
  const { fromSeconds = row.tsSeconds, toSeconds = row.tsSeconds } = query
  return (
    row.id > query.afterId &&
    row.id <= query.upToId &&
    row.serverId === serverId &&
    (row.monitorId ?? 0) === monitorId &&
    row.tsSeconds >= fromSeconds &&
    row.tsSeconds <= toSeconds
  )
}

/** Rows of five servers, two days apart from each other, of which some come a little late. */
function fewServers(count: number): LogScore[] {
  return ordinaryRows(count).map((row, i) => ({
    ...row,
    serverId: 1 + (i % 5),
    monitorId: i % 11 === 0 ? null : 1 + (i % 7),
    tsSeconds: row.tsSeconds + Math.floor(i / 40) * 2 * DAY_SECONDS - (i % 10 === 0 ? DAY_SECONDS / 2 : 0),
  }))
}
