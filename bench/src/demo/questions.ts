import { type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import { textTable } from '../text.js'

/** A question to the archive, and what it is called for people. */
export interface Question {
  readonly title: string
  readonly sql: string
}

export const questions: readonly Question[] = [
  {
    title: "A server's score history: the server with the worst hour, hour by hour",
    sql: `select formatDateTime(toStartOfHour(ts), '%F %H:%i') as hour, count() as measurements,
  round(min(score), 1) as lowest, round(avg(score), 1) as average, countIf(error is not null) as errors
from log_scores
where server_id = (select server_id from log_scores order by score, id limit 1)
group by hour order by hour desc limit 8`,
  },
  {
    title: 'The monitors with most errors',
    sql: `select monitor_id as monitor, count() as measurements, countIf(error is not null) as errors,
  round(100 * errors / measurements, 1) as percent, topK(1)(error)[1] as mostly
from log_scores
where monitor_id > 0
group by monitor_id order by errors desc, monitor_id limit 5`,
  },
]

/** Asks an embedded ClickHouse. @returns the answer as a table. @throws Error with the engine's message. */
export async function ask(path: string, asked: readonly Pick<Question, 'sql'>[]): Promise<string[]> {
  // chdb declares the interface of this very client, but against a copy of it.
  const connection = createChdbConnection({ path }) as unknown as NonNullable<
    ClickHouseClientConfigOptions['connection']
  >
  const client = createClient({ connection })
  try {
    const tables: string[] = []
    for (const { sql } of asked) {
      const answer = await client.query({ query: sql, format: 'JSONEachRow' })
      tables.push(textTable(await answer.json<Record<string, string | number>>()))
    }
    return tables
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n', 1)
    throw new Error(`ClickHouse: ${line}`, { cause: error })
  } finally {
    await client.close()
  }
}
