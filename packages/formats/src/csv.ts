import type { LogScoreChunk } from '@archiver/core'
import { isoSeconds } from './iso-time.js'
import type { RowForm } from './row-form.js'
import { encodeText } from './row-text.js'

/** CSV as RFC 4180 has it, with a header line; what is not there is empty. */
export const csvForm: RowForm = {
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

/** Rows as CSV. Pieces are valid until the next is asked for. */
export function encodeCsv(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<Uint8Array> {
  return encodeText(chunks, csvForm)
}

function field(text: string | null): string {
  if (text === null) return ''
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
