import type { Attributes } from '@archiver/core'
import type { RowForm } from '@archiver/formats'

/** A row as the Go program's JSON has it: short names, whole seconds, no monitor as 0, attributes only where there are any. */
export const goForm: RowForm = {
  head: '',
  before: {
    id: '{"id":',
    serverId: ',"sid":',
    monitorId: ',"mid":',
    ts: ',"ts":',
    score: ',"sc":',
    step: ',"st":',
    offset: ',"of":',
    rtt: ',"rtt":',
  },
  null: 'null',
  noMonitor: '0',
  quotesLargeIds: true,
  ts: String,
  notFinite: () => 'null',
  tail: (attributes) => `,"attributes":${JSON.stringify(given(attributes))}}\n`,
}

/** The same, as an element of an array: a comma stands before all but the first. */
export const goElementForm: RowForm = { ...goForm, before: { ...goForm.before, id: ',{"id":' } }

function given({ leap, error, warning }: Attributes): Partial<Attributes> {
  return {
    ...(leap === null ? {} : { leap }),
    ...(error === null ? {} : { error }),
    ...(warning === null ? {} : { warning }),
  }
}
