import { ArchiverError, type ErrorPlace, errorText } from '@archiver/core'

interface Kind {
  readonly code: string
  readonly hint: string
  readonly retryable?: boolean
}

const login: Kind = { code: 'CLICKHOUSE_LOGIN', hint: 'Correct the user and the password in ch_dsn.' }
const denied: Kind = { code: 'CLICKHOUSE_DENIED', hint: 'Grant it to the user of ch_dsn, or name another user there.' }
const busy: Kind = {
  code: 'CLICKHOUSE_BUSY',
  hint: 'The server is short of something at the moment; the next pass tries again.',
  retryable: true,
}

/** What ClickHouse's error numbers ask of the operator. */
const kinds: Readonly<Record<number, Kind>> = {
  60: {
    code: 'CLICKHOUSE_TABLE_MISSING',
    hint: 'The next pass creates the table, unless rows were stored in it: then it says ARCHIVE_MISSING.',
    retryable: true,
  },
  81: { code: 'CLICKHOUSE_DATABASE', hint: 'Create the database, or correct the one that ch_dsn names.' },
  115: {
    code: 'CLICKHOUSE_SETTING',
    hint: 'A parameter of ch_dsn is neither one of the Go drivers nor a setting of the server: correct or remove it.',
  },
  164: denied,
  192: login,
  193: login,
  194: login,
  291: denied,
  497: denied,
  516: login,
}
for (const number of [159, 202, 209, 210, 216, 241, 242, 243, 252, 319, 373, 425, 999])
  Object.assign(kinds, { [number]: busy })

const network =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE)/

const unreachable: Kind = {
  code: 'CLICKHOUSE_UNREACHABLE',
  hint: 'Is the server up, and do host and HTTP port (8123, https 8443, or http_port=) in ch_dsn fit?',
  retryable: true,
}

const refused: Kind = { code: 'CLICKHOUSE_REFUSED', hint: "The server's own log says more." }

/** The ArchiverError for anything thrown while `doing` something with the ClickHouse of `dsn` (masked). */
export function clickHouseError(thrown: unknown, doing: string, dsn: string, place: ErrorPlace = {}): ArchiverError {
  if (thrown instanceof ArchiverError) return thrown
  const { number, why } = reason(thrown)
  const kind = kindOf(thrown, number)
  const suffix = number === undefined ? '' : `, ClickHouse error ${number}`
  const message = `${doing}: ${why} (ch_dsn ${dsn}${suffix})`
  return new ArchiverError(message, { archiver: 'clickhouse', ...place, ...kind, cause: thrown })
}

/** The number of ClickHouse's error, in the words of any version; undefined for an error that is not the server's. */
export function errorNumber(thrown: unknown): number | undefined {
  const code = codeOf(thrown)
  const found = /^\d+$/.test(code) ? code : /\bCode: (\d+)/.exec(errorText(thrown))?.[1]
  return found === undefined ? undefined : Number(found)
}

function reason(thrown: unknown): { number: number | undefined; why: string } {
  const isWordless = thrown instanceof Error && thrown.message.trim() === ''
  const text = isWordless ? 'an error without a text' : errorText(thrown)
  const why = /DB::Exception: (.*?)(, e\.what\(\)|\. \([A-Z_]+\)|$)/s.exec(text)?.[1] ?? text
  return { number: errorNumber(thrown), why: oneLine(why) }
}

function kindOf(thrown: unknown, number: number | undefined): Kind {
  if (number !== undefined) return kinds[number] ?? refused
  const code = codeOf(thrown)
  // Without a code: the client's own time-out, or a proxy's page where ClickHouse should have answered.
  return code === '' || network.test(code) ? unreachable : refused
}

/** Whether no answer came: no connection, or none in time. */
export function isNetworkError(thrown: unknown): boolean {
  return network.test(codeOf(thrown))
}

/** Whether nothing listens where the error came from: no statement can be running there. */
export function isRefusedConnection(thrown: unknown): boolean {
  return codeOf(thrown) === 'ECONNREFUSED'
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

function oneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ').replace(/\.$/, '')
  return line.length > 400 ? `${line.slice(0, 400)}…` : line
}
