import { type Attributes, type LogScoreChunk, RowCursor } from '@archiver/core'
import type { Place } from '@archiver/core/reconcile'

/**
 * The first column in which a row of the source and the row of a file differ, after the conversions of the file's version;
 * undefined where they are the same row. Ids are compared by the caller.
 */
export function differingColumn(source: Place, file: Place): string | undefined {
  return file.chunk.exact ? differingExactly(source, file) : differingConverted(source, file)
}

function differingConverted(source: Place, file: Place): string | undefined {
  const { chunk: a, row: i } = source
  const { chunk: b, row: j } = file
  // Values under a null flag are 0 on both sides.
  if (a.serverId[i] !== b.serverId[j]) return 'server_id'
  if (a.monitorId[i] !== b.monitorId[j]) return 'monitor_id'
  if (a.tsSeconds[i] !== b.tsSeconds[j]) return 'ts'
  if (Math.fround(a.score[i]!) !== b.score[j]) return 'score'
  if (Math.fround(a.step[i]!) !== b.step[j]) return 'step'
  if (a.offsetNull[i] !== b.offsetNull[j] || Math.fround(a.offset[i]!) !== b.offset[j]) return 'offset'
  if (a.rttNull[i] !== b.rttNull[j] || a.rtt[i] !== b.rtt[j]) return 'rtt'
  return differingAttribute(a.dictionary[a.attributes[i]!]!, b.dictionary[b.attributes[j]!]!)
}

function differingExactly(source: Place, file: Place): string | undefined {
  const { chunk: a, row: i } = source
  const { chunk: b, row: j } = file
  if (a.serverId[i] !== b.serverId[j]) return 'server_id'
  if (a.monitorIdNull[i] !== b.monitorIdNull[j] || a.monitorId[i] !== b.monitorId[j]) return 'monitor_id'
  if (a.tsSeconds[i] !== b.tsSeconds[j]) return 'ts'
  if (a.score[i] !== b.score[j]) return 'score'
  if (a.step[i] !== b.step[j]) return 'step'
  if (a.offsetNull[i] !== b.offsetNull[j] || a.offset[i] !== b.offset[j]) return 'offset'
  if (a.rttNull[i] !== b.rttNull[j] || a.rtt[i] !== b.rtt[j]) return 'rtt'
  return differingText(a.dictionary[a.attributes[i]!]!, b.dictionary[b.attributes[j]!]!)
}

/** Where the source has read what the texts mean only, that is compared. */
function differingText(source: Attributes, file: Attributes): string | undefined {
  if (source.json !== undefined) return source.json === file.json ? undefined : 'attributes'
  const warning = source.warning?.toWellFormed() ?? null
  return differingAttribute(source, file) ?? (warning === file.warning ? undefined : 'warning')
}

function differingAttribute(source: Attributes, file: Attributes): string | undefined {
  if (source.leap !== file.leap) return 'leap'
  if (source.error === file.error || source.error?.toWellFormed() === file.error) return undefined
  return 'error'
}

/** Where two files differ, as the end of a sentence about the second; undefined where they hold the same rows. */
export async function firstDifference(
  ours: AsyncIterable<LogScoreChunk>,
  theirs: AsyncIterable<LogScoreChunk>,
): Promise<string | undefined> {
  await using a = await RowCursor.open(ours)
  await using b = await RowCursor.open(theirs)
  for (; a.id !== undefined && b.id !== undefined; await a.advance(), await b.advance()) {
    const column = a.id === b.id ? differingColumn(a, b) : 'id'
    if (column) return `differs at row ${b.id}, column ${column}`
  }
  if (a.id !== undefined) return `ends before row ${a.id}`
  return b.id === undefined ? undefined : `goes on with row ${b.id}`
}
