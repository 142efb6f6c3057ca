import { escapeInvisible } from '@archiver/core'
import type { EffectiveVariable, SettingsReport } from './load.js'

/** The settings as aligned columns, by group; warnings below. Problems are the caller's to print. */
export function reportTable({ variables, warnings }: SettingsReport): string {
  const rows = variables.map((variable) => [variable.name, cell(variable), variable.origin] as const)
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)))
  const lines = rows.flatMap(([name, value, origin], index) => [
    ...headingOf(variables, index),
    `  ${pad(name, widths[0])}  ${pad(value, widths[1])}  ${origin}`,
  ])
  return `${[...lines, ...warnings.map((warning) => `\nwarning: ${warning}`)].join('\n').trimStart()}\n`
}

/** The same for programs: `{valid, variables, problems, warnings}`. */
export function reportJson({ settings, ...report }: SettingsReport): string {
  return `${JSON.stringify({ valid: settings !== undefined, ...report }, undefined, 2)}\n`
}

function headingOf(variables: readonly EffectiveVariable[], index: number): readonly string[] {
  const group = variables[index]?.group
  return group === undefined || group === variables[index - 1]?.group ? [] : [`\n${group}`]
}

function cell({ value, valid }: EffectiveVariable): string {
  if (value === null) return valid ? '-' : '(missing)'
  const text = value === '' ? '(empty)' : printable(value)
  return valid ? text : `${text} (invalid)`
}

/** One line, without what a terminal would obey. */
function printable(value: string): string {
  return escapeInvisible(JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\'))
}

function pad(text: string, width = 0): string {
  return text + ' '.repeat(width - [...text].length)
}
