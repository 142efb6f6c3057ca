import type { Attributes, LogScoreChunk } from '@archiver/core'

/**
 * The chunk with every text of `attributes` in one spelling: a column of MySQL's type JSON keeps the value of a text, not its
 * spaces and the order of its keys. To be compared, not to be written.
 */
export function inOneSpelling(chunk: LogScoreChunk): LogScoreChunk {
  return { ...chunk, dictionary: chunk.dictionary.map(respelled) }
}

function respelled(entry: Attributes): Attributes {
  const { json = null } = entry
  return json === null ? entry : { ...entry, json: spell(json) }
}

/** The text itself where it is not JSON. */
function spell(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) => (isRecord(value) ? sorted(value) : value))
  } catch {
    return text
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
