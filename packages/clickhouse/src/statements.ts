import type { ClickHouseClient } from '@clickhouse/client'
import { clickHouseError } from './errors.js'

const shownLetters = 60

/** The rows of a small answer. @param dsn masked, for messages. */
export async function rowsOf(client: ClickHouseClient, sql: string, dsn: string): Promise<Record<string, string>[]> {
  try {
    const answer = await client.query({ query: sql, format: 'JSONEachRow' })
    return await answer.json<Record<string, string>>()
  } catch (thrown) {
    throw clickHouseError(thrown, cannotRun(sql), dsn)
  }
}

/** Runs a statement that has no answer. @param dsn masked, for messages. */
export async function run(client: ClickHouseClient, sql: string, dsn: string): Promise<void> {
  try {
    await client.command({ query: sql })
  } catch (thrown) {
    throw clickHouseError(thrown, cannotRun(sql), dsn)
  }
}

function cannotRun(sql: string): string {
  return `cannot run "${sql.length > shownLetters ? `${sql.slice(0, shownLetters)}…` : sql}"`
}
