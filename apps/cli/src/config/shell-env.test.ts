// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { parseShellEnv } from './shell-env.js'

const environment: Readonly<Record<string, string>> = { OUTER: 'from outside', EMPTY: '' }
const read = (content: string) =>
  Object.fromEntries(parseShellEnv(content, (name) => environment[name]).values) as Record<string, string | undefined>

const folder = mkdtempSync(join(tmpdir(), 'archiver-shell-env-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What a real shell makes of a file: the values of these names after it. */
function sourced(content: string, names: readonly string[]): Record<string, string | undefined> {
  const file = join(folder, 'sourced.env')
  writeFileSync(file, content)
  const script = `. "${file}"; ${names.map((name) => `printf '%s\\0' "\${${name}+=}\${${name}-}"`).join('; ')}`
  const output = execFileSync('/bin/sh', ['-c', script], { env: environment, encoding: 'utf8' })
  const values = output.split('\0').slice(0, -1)
  return Object.fromEntries(names.map((name, i) => [name, values[i] === '' ? undefined : values[i]!.slice(1)]))
}

const files = [
  '',
  '# nothing\n\n   # here',
  'a=1\nexport b=2\n  export   c=3  ',
  'a=1 b=2; export c=3 d=4;e=5',
  'a=1 # not this\nb=x#y\nc=#z\n',
  "a='b # c \\n $d'",
  'a="b # c \\n \\"d\\" \\$e \\\\ \\` \\x"',
  'a=b\\ c\\$d\\\\',
  "a='1'\"2\"3'4'",
  'a=\'1\n2\'\nb="3\n4"',
  'a=one\\\ntwo\nb="one\\\ntwo"',
  'a=\nb=""\nexport c=',
  'a=1\nb=$a-$a\nc="${a}x"\nd=\'$a\'',
  'a=$OUTER\nb=${OUTER}!\nc="$OUTER and $MISSING."',
  'OUTER=inner\na=$OUTER',
  'a=${MISSING:-two words}\nb=${OUTER:-x}\nc=${EMPTY:-x}\nd=${EMPTY-x}\ne="${MISSING-$OUTER}"',
  'a=${OUTER:+yes}\nb=${EMPTY:+yes}\nc=${EMPTY+yes}\nd=x${MISSING+yes}',
  'a=${MISSING:-"q $OUTER"}\nb="${MISSING:-it\'s}"',
  'a=100$\nb="100$"\nc=$.x\nd="a $ b"',
  'a=1\nunset a\nb=${a-gone}',
  'export a\na=1\nexport a',
  'set -a\na=1\nset +a\nb=2',
  'readonly a=1',
  'a=it\\\'s\nb="it\'s"',
  'a=b=c\nb==',
  'a=*\nb=?[x]\nc={x,y}\nd=a~b\ne=!x',
  'ch_dsn="tcp://u:p#w@h:9000/db?debug=false&compress=lz4"',
  'a=\\\nb',
]

it.each(files)('reads %j as a shell does', (content) => {
  const found = read(content)
  const names = Object.keys(found)
  expect(found).toEqual(sourced(content, names))
  expect(names.length > 0 || !/^[^#]*=/m.test(content)).toBe(true)
})

it('reads as a shell does whatever pieces a value has', () => {
  const piece = fc.constantFrom(
    'x',
    ' ',
    '#',
    "'",
    '"',
    '\\',
    '$',
    '$a',
    '${a}',
    '${b:-c}',
    '=',
    '\n',
    '-',
    '}',
    '\\"',
    "\\'",
    ';',
  )
  const property = fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    const content = `a=1\nv=${pieces.join('')}\n`
    let found: Record<string, string | undefined>
    try {
      found = read(content)
    } catch {
      return
    }
    expect(found).toEqual(sourced(content, Object.keys(found)))
  })
  fc.assert(property, { numRuns: 60 })
})

it('takes a file of Windows, with a mark at its start', () => {
  expect(read('\uFEFFa=1\r\nexport b="2"\r\n')).toEqual({ a: '1', b: '2' })
})

it('tells what is exported, and what values were expanded from', () => {
  const { exported, expanded } = parseShellEnv('HOST=h\nexport db_host=$HOST:1 x=2\nset -a\ny=3', () => undefined)
  expect([...exported]).toEqual(['db_host', 'x', 'y'])
  expect([...expanded]).toEqual(['HOST'])
})

it.each([
  ['a=1\n\necho secret', 'line 3 is not an assignment'],
  ['. ./secret.env', 'line 1 is not an assignment'],
  ['a=1\n;b=secret', 'line 2 is not of the form NAME=value'],
  ['a=1 secret', 'line 1 is not of the form NAME=value'],
  ['a = secret', 'line 1 is not an assignment'],
  ['export a = secret', 'line 1 is not of the form NAME=value'],
  ['export 1a=secret', 'line 1 is not of the form NAME=value'],
  ['a+=secret', 'line 1 is not of the form NAME=value'],
  ['if true; then a=secret; fi', 'line 1 is not an assignment'],
  ['a=1\nb=$(secret)', 'line 2 has what only a shell can expand'],
  ['a="`secret`"', 'line 1 has what only a shell can expand'],
  ['a=secret$$', 'line 1 has what only a shell can expand'],
  ['a="secret$1"', 'line 1 has what only a shell can expand'],
  ['a=${secret%x}', 'line 1 has what only a shell can expand'],
  ['a=$((1+1))', 'line 1 has what only a shell can expand'],
  ["a=$'secret'", "line 1 has a $'…'"],
  ['a=~/secret', 'line 1 has a ~'],
  ['a=secret&compress=lz4', 'line 1 has a & outside quotes'],
  ['a=secret|x', 'line 1 has a | outside quotes'],
  ['a=secret<x', 'line 1 has a < outside quotes'],
  ['a=(secret)', 'line 1 has a ( outside quotes'],
  ['a="secret', 'line 1 has a quote that is never closed'],
  ["a='secret\nb=2", 'line 1 has a quote that is never closed'],
  ['a=${b:-secret\n', 'line 1 has a brace that is never closed'],
])('refuses %j by its line', (content, message) => {
  expect(() => read(content)).toThrow(message)
  expect(() => read(content)).not.toThrow('secret')
})
