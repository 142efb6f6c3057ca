import { errorText } from '@archiver/core'
import * as z from 'zod/mini'
import { UnfitValue } from './problem.js'
import type { ValueType } from './value-types.js'

/** The headings of the documentation, in its order. */
export const groups = [
  'MySQL',
  'Application',
  'ClickHouse',
  'BigQuery',
  'Cloud Storage',
  'Avro',
  'Batches',
  'Cleanup',
  'Running',
] as const

/** What is known of a variable besides how it is read. */
export interface VariableNotes {
  readonly group: (typeof groups)[number]
  /** For people, in Markdown. */
  readonly description: string
  /** Set for a secret: what may be shown of it. */
  readonly mask?: (value: string) => string
}

/** Where the schema keeps the notes of its fields. */
export const notes = z.registry<VariableNotes & { readonly type: string; readonly preset?: string }>()

function field<T>({ expects, read }: ValueType<T>) {
  const transform = z.transform((value: string, context) => {
    try {
      return read(value)
    } catch (error) {
      const hint = error instanceof UnfitValue ? error.hint : undefined
      context.issues.push({ code: 'custom', message: errorText(error), params: { hint }, input: undefined })
      return z.NEVER
    }
  })
  return z.pipe(z.string({ error: expects === undefined ? 'is required' : `is required: ${expects}` }), transform)
}

/** A variable that must be set. */
export function required<T>(valueType: ValueType<T>, about: VariableNotes) {
  return field(valueType).register(notes, { ...about, type: valueType.name })
}

/** A variable that may be left out. */
export function optional<T>(valueType: ValueType<T>, about: VariableNotes) {
  return z.optional(field(valueType)).register(notes, { ...about, type: valueType.name })
}

/** A variable with a default, written as an operator would write it. */
export function preset<T>(value: string, valueType: ValueType<T>, about: VariableNotes) {
  return z.prefault(field(valueType), value).register(notes, { ...about, type: valueType.name, preset: value })
}
