import type { ClickHouseClient, ResponseHeaders } from '@clickhouse/client'
import { clickHouseError } from './errors.js'

const shownLetters = 60

/** Throws where the headers show that it was not ClickHouse that answered. */
export type CheckAnswer = (headers: ResponseHeaders) => void

/** The rows of a small answer. @param dsn masked, for messages. */
export async function rowsOf(
  client: ClickHouseClient,
  sql: string,
  dsn: string,
  check: CheckAnswer = () => {},
): Promise<Record<string, string>[]> {
  try {
    const answer = await client.query({ query: sql, format: 'JSONEachRow' })
    check(answer.response_headers)
    return await answer.json<Record<string, string>>()
  } catch (thrown) {
    throw clickHouseError(thrown, cannotRun(sql), dsn)
  }
}

/** Runs a statement that has no answer. @param dsn masked, for messages. */
export async function run(
  client: ClickHouseClient,
  sql: string,
  dsn: string,
  check: CheckAnswer = () => {},
): Promise<void> {
  try {
    check((await client.command({ query: sql })).response_headers)
  } catch (thrown) {
    throw clickHouseError(thrown, cannotRun(sql), dsn)
  }
}

function cannotRun(sql: string): string {
  return `cannot run "${sql.length > shownLetters ? `${sql.slice(0, shownLetters)}…` : sql}"`
}
