import { UnfitValue } from './problem.js'

const server = /^(?:tcp|clickhouse|https?):\/\/(?:.*@)?[^\s,/?#@]+(?:,[^\s,/?#@]+)*(?:\/[^\s/?#]*)?(?:\?\S*)?$/i
const embedded = /^chdb:\/\/\/\S/i

/**
 * Looks at the outer form of a ClickHouse DSN; the adapter reads it in full, and is not loaded for that at start.
 *
 * @throws UnfitValue without any part of the text.
 */
export function checkClickHouseDsn(text: string): string {
  if (server.test(text) || embedded.test(text)) return text
  const shape = 'tcp://user:password@host:9000/database?secure=true, http(s)://… or chdb:///absolute/path'
  throw new UnfitValue('is not a ClickHouse DSN', `the form is ${shape}`)
}
