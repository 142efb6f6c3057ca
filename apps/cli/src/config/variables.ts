import * as z from 'zod/mini'
import { notes } from './field.js'
import { archivesVariables } from './variables/archives.js'
import { databaseVariables } from './variables/database.js'
import { runningVariables } from './variables/running.js'

/**
 * Every variable, once: its name, how it is read, its default and what is said of it. The parser, `archiver config` and
 * the documentation are all made from this.
 */
export const schema = z.object({ ...databaseVariables, ...archivesVariables, ...runningVariables })

/** Every variable's value, read. */
export type Values = z.infer<typeof schema>
export type VariableName = keyof Values
/** The values that could be read; a variable that could not is missing. */
export type ReadableValues = { [Name in VariableName]?: Values[Name] | undefined }

// Object.keys() forgets the keys' type.
export const variableNames = Object.keys(schema.shape) as VariableName[]

/** Whether text names a variable. */
export function isVariable(name: string): name is VariableName {
  return Object.hasOwn(schema.shape, name)
}

/** The notes of a variable. */
export function notesOf(name: VariableName) {
  const found = notes.get(schema.shape[name])
  if (found === undefined) throw new Error(`the variable ${name} has no notes`)
  return found
}
