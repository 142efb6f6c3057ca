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
  let pageToken: string | undefined
  do {
    const qs = { location, maxResults: rowsPerPage, ...(pageToken === undefined ? {} : { pageToken }) }
    const results = await link.call('cannot read the archive', signal, (client) =>
      request<Results>(client, { uri: `/queries/${job.id}`, qs }),
    )
    if (results.jobComplete === false) continue
    if (results.rows?.length) yield results.rows.map(({ f }) => f.map(({ v }) => v))
    pageToken = results.pageToken
    if (pageToken === undefined) return
  } while (!signal.aborted)
  signal.throwIfAborted()
}
