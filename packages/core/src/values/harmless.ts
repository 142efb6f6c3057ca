import { stripVTControlCharacters } from 'node:util'

/** Room for a message of a server and for what this program adds to it. */
const MAX_MESSAGE_CHARS = 2_000
/** Escape sequences and runs of spaces shorten a text before it is cut. */
const MAX_READ_CHARS = 4 * MAX_MESSAGE_CHARS

/** Control characters, and the separators that some programs show as the end of a line. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu
/** Invisible characters, among them those that reverse the direction of a text. */
const INVISIBLE = /\p{Cf}/gu
/** Halves of a character. */
const BROKEN = /\p{Cs}/gu

/** What opens a door, and what is shown in its place. */
const SECRETS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/-----BEGIN.*?(?:-----END [A-Z ]*-----|$)/g, '…'],
  // The address of an upload session is as good as a key: with it anybody can write the object.
  [/upload_id=[^&\s"']+/g, 'upload_id=…'],
  [/\b(Bearer |Basic )[\w.~+/=-]{4,}/gi, '$1…'],
  [/\b(ya29\.|1\/\/0|GOCSPX-)[\w.~+/-]+/g, '$1…'],
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, '…'],
  [/(:\/\/[^\s:/@]{0,200}):[^\s/]{1,200}@/g, '$1:…@'],
  [/\b([\w.-]{1,80}):\S{1,200}@(tcp|tcp4|tcp6|unix)\(/g, '$1:…@$2('],
  [/\b(identified\s+(?:with\s+\S{1,80}\s+)?(?:by|as)\s+(?:password\s+)?)(?:'[^']*'?|"[^"]*"?|\S+)/gi, "$1'…'"],
  [/\b(password\s*\()[^)]*/gi, '$1…'],
  [
    /([\w-]{0,40}(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature)["']?\s?=\s?)(?:"[^"]*"?|'[^']*'?|[^\s,;&"')]+)/gi,
    '$1…',
  ],
  [/\b((?:db_)?pass["']?\s?=\s?)(?:"[^"]*"?|'[^']*'?|[^\s,;&"')]+)/gi, '$1…'],
  [/("[\w-]{0,40}(?:pass(?:w(?:or)?d)?|passphrase|pwd|secret|token|key)"\s?:\s?)"[^"]*"?/gi, '$1"…"'],
  [/\b([\w-]{0,40}(?:passw(?:or)?d|passphrase|pwd|x-[\w-]{1,40}-key|authorization)\s?:\s?)[^\s,;"')]+/gi, '$1…'],
]

/**
 * Makes any text from a server, a file or a request fit for a log, a terminal or a page: one line, without control
 * characters, escape sequences, invisible or reversing characters, and without passwords, keys and tokens. Every output of
 * the program passes through here.
 *
 * @param maxChars - a longer text is cut and ends with `…`. Default 2,000.
 */
export function harmlessText(text: string, maxChars = MAX_MESSAGE_CHARS): string {
  let line = stripVTControlCharacters(text.slice(0, MAX_READ_CHARS))
    .replaceAll(INVISIBLE, '')
    .replaceAll(BREAKS, ' ')
    .replaceAll(BROKEN, '\ufffd')
    .trim()
  for (const [pattern, shown] of SECRETS) line = line.replaceAll(pattern, shown)
  return line.length > maxChars ? `${line.slice(0, maxChars)}…` : line
}

/** A short one: {@link harmlessText} of at most 500 characters. */
export function harmlessLine(text: string): string {
  return harmlessText(text, 500)
}

/** Invisible and control characters as JSON escapes them, so that they can be seen; nothing else is changed. */
export function escapeInvisible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  )
}

/** {@link harmlessText} of each line of a text of this program's own. */
export function harmlessLines(text: string): string {
  return text
    .split('\n')
    .map((line) => /^ */.exec(line)![0] + harmlessText(line))
    .join('\n')
}

/** {@link harmlessText} of every text in a value of JSON; the lines of a `stack` stay lines. */
export function harmlessValue(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'stack' ? harmlessLines(value) : harmlessText(value)
  if (Array.isArray(value)) return value.map((one) => harmlessValue(one))
  if (typeof value !== 'object' || value === null || value instanceof Error) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [harmlessText(name), harmlessValue(one, name)]))
}
