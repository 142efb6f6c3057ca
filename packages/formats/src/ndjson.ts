import type { LogScoreChunk } from '@archiver/core'
import { isoSeconds } from './iso-time.js'
import type { RowForm } from './row-form.js'
import { encodeText } from './row-text.js'

/** A line of JSON for each row, with the columns' own names; what is not there is null. */
const ndjsonForm: RowForm = {
  head: '',
  before: {
    id: '{"id":',
    serverId: ',"server_id":',
    monitorId: ',"monitor_id":',
    ts: ',"ts":',
    score: ',"score":',
    step: ',"step":',
    offset: ',"offset":',
    rtt: ',"rtt":',
  },
  null: 'null',
  noMonitor: 'null',
  quotesLargeIds: true,
  ts: (seconds) => `"${isoSeconds(seconds)}"`,
  notFinite: () => 'null',
  tail: ({ leap, error, warning, json = null }) => {
    const [errorText, warningText, attributes] = [error, warning, json].map((text) => JSON.stringify(text))
    return `,"leap":${leap},"error":${errorText},"warning":${warningText},"attributes":${attributes}}\n`
  },
}

/** Rows as NDJSON. Pieces are valid until the next is asked for. */
export function encodeNdjson(chunks: AsyncIterable<LogScoreChunk>): AsyncGenerator<Uint8Array> {
  return encodeText(chunks, ndjsonForm)
}
