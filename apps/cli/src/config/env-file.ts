import { UnfitValue } from './problem.js'

const blank = /(?:[ \t\r\n]|#.*)*/y
const assignment = /(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/y
const singleQuoted = /'([^']*)'/y
const doubleQuoted = /"((?:[^"\\]|\\[\s\S])*)"/y
const bare = /(?:[^\s#]|[ \t]+(?![ \t#\r\n]|$)|(?<=[^\s])#)*/y
const restOfLine = /[ \t]*(?:#.*)?(?:\r?\n|$)/y
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * Reads an env file: `KEY=value` lines, comments, an `export ` prefix, values in single quotes (taken as they are) or in
 * double quotes (`\n`, `\t`, `\"`, `\\`, `\$`); quoted values may run over lines. Nothing is expanded. As in a shell,
 * `#` starts a comment only after a blank: node:util's parseEnv cuts `db_pass=a#b` to `a` and skips bad lines silently.
 *
 * @throws UnfitValue naming the line, never its content.
 */
export function parseEnvFile(content: string): Readonly<Record<string, string>> {
  const source = content.replace(/^\uFEFF/, '')
  const values: Record<string, string> = {}
  let at = match(blank, source, 0)!.end
  while (at < source.length) {
    const key = match(assignment, source, at)
    if (key === undefined) throw lineError(source, at, 'is not of the form KEY=value')
    const value = readValue(source, key.end)
    const rest = match(restOfLine, source, value.end)
    if (rest === undefined) throw lineError(source, at, 'has more after the closing quote')
    values[key.group] = value.text
    at = match(blank, source, rest.end)!.end
  }
  return values
}

function readValue(source: string, at: number): { readonly text: string; readonly end: number } {
  const single = match(singleQuoted, source, at)
  if (single !== undefined) return { text: single.group, end: single.end }
  const double = match(doubleQuoted, source, at)
  if (double !== undefined) return { text: unescaped(double.group), end: double.end }
  if (source[at] === '"' || source[at] === "'") throw lineError(source, at, 'has a quote that is never closed')
  const { end } = match(bare, source, at)!
  return { text: source.slice(at, end), end }
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\([nrt"\\$])/g, (_, letter: string) => escapes[letter] ?? letter)
}

function match(
  pattern: RegExp,
  source: string,
  at: number,
): { readonly group: string; readonly end: number } | undefined {
  pattern.lastIndex = at
  const found = pattern.exec(source)
  return found === null ? undefined : { group: found[1] ?? '', end: at + found[0].length }
}

function lineError(source: string, at: number, message: string): UnfitValue {
  return new UnfitValue(`line ${source.slice(0, at).split('\n').length} ${message}`)
}
