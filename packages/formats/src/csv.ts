import type { LogScoreChunk } from '@archiver/core'
import { isoSeconds } from './iso-time.js'
import type { RowForm } from './row-form.js'
import { encodeText } from './row-text.js'

/** CSV as RFC 4180 has it, with a header line; what is not there is empty. */
const csvForm: RowForm = {
  head: 'id,server_id,monitor_id,ts,score,step,offset,rtt,leap,error,warning,attributes\r\n',
  before: { id: '', serverId: ',', monitorId: ',', ts: ',', score: ',', step: ',', offset: ',', rtt: ',' },
  null: '',
  noMonitor: '',
  quotesLargeIds: false,
  ts: isoSeconds,
  notFinite: String,
  tail: ({ leap, error, warning, json = null }) =>
    `,${leap ?? ''},${field(error)},${field(warning)},${field(json)}\r\n`,
}

/** The same for a spreadsheet: a text that one would take for a formula begins with an apostrophe. */
const spreadsheetForm: RowForm = {
  ...csvForm,
  tail: ({ leap, error, warning, json = null }) => {
    const [errorText, warningText, attributes] = [error, warning, json].map((text) => field(withoutFormula(text)))
    return `,${leap ?? ''},${errorText},${warningText},${attributes}\r\n`
  },
}

/** Rows as CSV. Pieces are valid until the next is asked for. */
export function encodeCsv(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<Uint8Array> {
  return encodeText(chunks, csvForm)
}

/** Rows as CSV in which a spreadsheet sees no formula. Pieces are valid until the next is asked for. */
export function encodeSpreadsheetCsv(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<Uint8Array> {
  return encodeText(chunks, spreadsheetForm)
}

function withoutFormula(text: string | null): string | null {
  return text !== null && /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠|%]|^[\t\r\n]/u.test(text) ? `'${text}` : text
}

function field(text: string | null): string {
  if (text === null) return ''
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
