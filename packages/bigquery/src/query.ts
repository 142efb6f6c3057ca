import { ArchiverError, pause } from '@archiver/core'
import { requireGoogleAnswer, requireNewPage } from '@archiver/google'
import { firstPollMs, longestPollMs, waitLimitMs } from './jobs.js'
import { type Link, request } from './link.js'
import type { Statement } from './sql.js'

/** A row of an answer, its columns in the order of the query; BigQuery sends every value as text. */
export type Cells = readonly (string | null)[]

export const rowsPerPage = 20_000

interface Results {
  readonly jobComplete?: boolean
  readonly pageToken?: string
  readonly rows?: readonly { readonly f: readonly { readonly v: string | null }[] }[]
}

/**
 * Runs a query and gives its rows page by page; a page is never empty.
 *
 * The pages are fetched and read here: the client would make an object of converters for every cell.
 */
export async function* query(
  link: Link,
  { sql, params }: Statement,
  signal: AbortSignal,
): AsyncGenerator<readonly Cells[]> {
  const location = await link.location(signal)
  const texts = Object.entries(params).map(([name, value]) => [name, String(value)] as const)
  const [job] = await link.call('cannot query the archive', signal, (client) =>
    client.createQueryJob({
      query: sql,
      location,
      params: Object.fromEntries(texts),
      types: Object.fromEntries(texts.map(([name]) => [name, 'INT64'])),
    }),
  )
  for (let pageToken: string | undefined; ; ) {
    const results = await completePage(link, job.id ?? '', pageToken, signal)
    if (results.rows?.length) yield results.rows.map(({ f }) => f.map(({ v }) => v))
    if (results.pageToken === undefined) return
    pageToken = requireNewPage(results.pageToken, pageToken)
  }
}

/** A page once the query has ended. BigQuery itself waits for some seconds before it says that a query goes on. */
async function completePage(
  link: Link,
  jobId: string,
  pageToken: string | undefined,
  signal: AbortSignal,
): Promise<Results> {
  const location = await link.location(signal)
  const qs = { location, maxResults: rowsPerPage, ...(pageToken === undefined ? {} : { pageToken }) }
  const startMs = performance.now()
  for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 1.6)) {
    const results = await link.call('cannot read the archive', signal, async (client) =>
      requireGoogleAnswer(await request<Results>(client, { uri: `/queries/${jobId}`, qs }), 'jobComplete'),
    )
    if (results.jobComplete !== false) return results
    if (performance.now() - startMs > waitLimitMs) throw stillRunning(jobId)
    await pause(pollMs, signal)
  }
}

function stillRunning(jobId: string): ArchiverError {
  return new ArchiverError(
    `cannot read the archive: the query ${jobId} has not ended within ${waitLimitMs / 60_000} minutes`,
    {
      archiver: 'bigquery',
      code: 'BQ_BUSY',
      hint: 'It is tried again. See in the console why the query takes so long.',
      retryable: true,
    },
  )
}
