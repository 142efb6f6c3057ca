import { shortText } from '../contract/errors.js'
import type { Attributes } from '../contract/log-score.js'
import { unknownKeys } from '../contract/unarchived.js'

const NONE: Attributes = { leap: null, error: null, warning: null }

/** Parsed attributes, or why they cannot be: a sentence for a row error. */
export type ParsedAttributes = Attributes | string

/**
 * Parses the column `attributes`: a JSON object with `leap` (0 to 3), `error` and `warning`. NULL and the empty string
 * hold nothing; leap 0 and empty texts are null, as the archives have always stored them. Other keys are left out.
 */
export function parseAttributes(json: string | null): ParsedAttributes {
  const parsed = parseWithUnknown(json)
  return typeof parsed === 'string' ? parsed : parsed.attributes
}

/** The same, beside the keys that no archive knows; undefined for none. */
export function parseWithUnknown(
  json: string | null,
): { readonly attributes: Attributes; readonly unknown: readonly string[] | undefined } | string {
  if (json === null || json === '') return { attributes: NONE, unknown: undefined }
  const parsed = parseJson(json)
  if (typeof parsed === 'string') return parsed
  const attributes = attributesOf(parsed)
  return typeof attributes === 'string' ? attributes : { attributes, unknown: unknownKeys(parsed) }
}

function attributesOf(parsed: Record<string, unknown>): ParsedAttributes {
  const { leap = null, error = null, warning = null } = parsed
  if (leap !== null && !isLeap(leap)) return `leap is ${shortText(JSON.stringify(leap))}, expected 0 to 3`
  if (error !== null && typeof error !== 'string')
    return `error is ${shortText(JSON.stringify(error))}, expected a text`
  if (warning !== null && typeof warning !== 'string')
    return `warning is ${shortText(JSON.stringify(warning))}, expected a text`
  return { leap: leap || null, error: error || null, warning: warning || null }
}

/**
 * The column `attributes` for these values, as the NTP Pool's monitors write it: null for a row that has none of them, a leap
 * only above 0. For rows of which only the meaning is known.
 */
export function attributesJson({ leap, error, warning }: Attributes): string | null {
  const values = {
    ...(leap === null ? {} : { leap }),
    ...(error === null ? {} : { error }),
    ...(warning === null ? {} : { warning }),
  }
  return Object.keys(values).length === 0 ? null : JSON.stringify(values)
}

function parseJson(json: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(json)
    if (value === null) return {}
    // A JSON value that is an object but no array is a record.
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  return `not a JSON object: ${shortText(json)}`
}

function isLeap(value: unknown): value is number {
  return value === 0 || value === 1 || value === 2 || value === 3
}
