import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { crossCheck, findOddities } from './cross-checks.js'
import { collectTexts, type SettingsSource, type Text, type Texts } from './layers.js'
import { masked } from './mask.js'
import { ConfigError, type Problem } from './problem.js'
import { type Settings, settingsOf } from './settings.js'
import { isVariable, notesOf, type ReadableValues, schema, type VariableName, variableNames } from './variables.js'

/** A variable as it may be shown to anybody. */
export interface EffectiveVariable {
  readonly name: VariableName
  readonly group: string
  /** Secrets are masked; null where it has none. */
  readonly value: string | null
  /** See {@link Settings.provenance}. */
  readonly origin: string
  readonly valid: boolean
}

/** Everything that could be made out, also of settings that cannot be used. */
export interface SettingsReport {
  /** Undefined if there is a problem. */
  readonly settings: Settings | undefined
  /** All of them, in the order of the documentation. */
  readonly variables: readonly EffectiveVariable[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

const allOptional = z.partial(schema)

/** @throws ConfigError naming all that is wrong. */
export function loadSettings(source: SettingsSource): Settings {
  const { settings, problems } = readSettings(source)
  if (settings === undefined) throw new ConfigError(problems)
  return settings
}

/** As {@link loadSettings}, but reports instead of throwing. */
export function readSettings(source: SettingsSource): SettingsReport {
  const collected = collectTexts(source)
  const { texts } = collected
  const raw = Object.fromEntries([...texts].map(([name, { text }]) => [name, text]))
  const result = schema.safeParse(raw)
  const invalid = new Set((result.error?.issues ?? []).map(({ path }) => variableAt(path)))
  const readable = result.data ?? readWithout(raw, invalid)
  const problems = [
    ...collected.problems,
    ...(result.error?.issues ?? []).flatMap((issue) => problemOf(issue, collected)),
    ...crossCheck(readable, texts, source.cwd),
  ]
  const variables = variableNames.map((name) => effective(name, texts.get(name), !invalid.has(name), source.cwd))
  const warnings = [...collected.warnings, ...lineBreaks(texts), ...findOddities(readable)]
  const usable = result.success && problems.length === 0
  const provenance = provenanceOf(texts)
  const settings = usable ? { ...settingsOf(result.data, source.cwd), provenance, warnings } : undefined
  return { settings, variables, problems, warnings }
}

/** Secrets that end in a line break, which a file or a template adds easily and nobody sees. */
function lineBreaks(texts: Texts['texts']): readonly string[] {
  return [...texts]
    .filter(([name, { text }]) => notesOf(name).mask !== undefined && /[\r\n]$/.test(text))
    .map(([name, { origin }]) => `${name} (${origin}) ends in a line break: remove it, unless it belongs to the secret`)
}

function readWithout(raw: Readonly<Record<string, string>>, invalid: ReadonlySet<VariableName>): ReadableValues {
  const rest = Object.entries(raw).filter(([name]) => !(isVariable(name) && invalid.has(name)))
  const values: ReadableValues = allOptional.parse(Object.fromEntries(rest))
  for (const name of invalid) delete values[name]
  return values
}

function variableAt(path: readonly PropertyKey[]): VariableName {
  const [name] = path
  if (typeof name !== 'string' || !isVariable(name)) throw new Error('a problem of no variable')
  return name
}

function problemOf(issue: z.core.$ZodIssue, collected: Texts): readonly Problem[] {
  const variable = variableAt(issue.path)
  const text = collected.texts.get(variable)
  if (text === undefined) return missing(variable, issue.message, collected)
  const { hint = undefined } = issue.code === 'custom' ? (issue.params ?? {}) : {}
  const value = mayRepeat(variable, text) ? JSON.stringify(shorten(text.text)) : 'the value'
  const from = text.origin === 'environment' ? '' : `from ${text.origin}: `
  return [{ variable, message: `${from}${value} ${issue.message}`, ...(typeof hint === 'string' && { hint }) }]
}

/** Only what makes the connection is required. */
function missing(variable: VariableName, message: string, { dsnOrigin, connectionUnknown }: Texts): readonly Problem[] {
  if (connectionUnknown) return []
  const hint =
    dsnOrigin === undefined ? 'or give the whole connection as DATABASE_DSN' : `the DSN of ${dsnOrigin} has none`
  return [{ variable, message, hint }]
}

/** Whether a text that does not fit can be shown as it is. A DSN in the wrong variable holds a password too. */
function mayRepeat(name: VariableName, { text, quotable }: Text): boolean {
  return quotable && notesOf(name).mask === undefined && !/@|:\/\//.test(text)
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function effective(name: VariableName, text: Text | undefined, valid: boolean, cwd: string): EffectiveVariable {
  const value = text === undefined ? (notesOf(name).preset ?? null) : shown(name, text, valid, cwd)
  return { name, group: notesOf(name).group, value, origin: originOf(name, text), valid }
}

function shown(name: VariableName, text: Text, valid: boolean, cwd: string): string {
  const { mask, type } = notesOf(name)
  if (!valid) return mayRepeat(name, text) ? text.text : masked
  if (mask !== undefined) return text.text === '' ? '' : mask(text.text)
  return type === 'path' ? resolve(cwd, text.text) : text.text
}

function originOf(name: VariableName, text: Text | undefined): string {
  return text?.origin ?? (notesOf(name).preset === undefined ? 'not set' : 'default')
}

function provenanceOf(texts: Texts['texts']): Settings['provenance'] {
  const entries = variableNames.map((name) => [name, originOf(name, texts.get(name))])
  return Object.fromEntries(entries) as Settings['provenance'] // every name is there; fromEntries forgets it
}
