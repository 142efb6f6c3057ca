import { queryAsync } from 'chdb'

/** A process that answers `{ id, sql }` with what the embedded ClickHouse says, one after another. */
interface Request {
  readonly id: number
  readonly sql: string
}

let last: Promise<void> = Promise.resolve()

process.on('message', (message) => {
  const request = message as Request // only clickhouse.ts sends
  last = last.then(() => answer(request))
})
process.on('disconnect', () => process.exit())

async function answer({ id, sql }: Request): Promise<void> {
  try {
    const result = await queryAsync(sql, { format: 'JSONCompactEachRow' })
    process.send?.({ id, text: result.text() })
  } catch (thrown) {
    process.send?.({ id, error: thrown instanceof Error ? thrown.message : String(thrown) })
  }
}
