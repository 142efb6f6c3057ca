import { describe, expect, it } from 'vitest'
import { parseEnvFile } from './env-file.js'

describe('parseEnvFile', () => {
  it.each([
    ['', {}],
    ['# nothing\n\n   # here', {}],
    ['a=1', { a: '1' }],
    ['a=1\nb=2\n', { a: '1', b: '2' }],
    ['\uFEFFa=1\r\nb=2\r\n', { a: '1', b: '2' }],
    ['export a=1', { a: '1' }],
    ['  a = 1  ', { a: '1' }],
    ['a=', { a: '' }],
    ['a= # nothing\nb=2', { a: '', b: '2' }],
    ['a=b c # d', { a: 'b c' }],
    ['a=b#c', { a: 'b#c' }],
    ['a=#c', { a: '#c' }],
    ['a=$b `c`', { a: '$b `c`' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=it\'s "so"', { a: 'it\'s "so"' }],
    ["a='b # c \\n $d' # e", { a: 'b # c \\n $d' }],
    ['a="b # c \\n \\"d\\" \\$e \\\\ \\x"', { a: 'b # c \n "d" $e \\ \\x' }],
    ["a='1\n2'\nb=3", { a: '1\n2', b: '3' }],
    ['a=""', { a: '' }],
    ['a=1\na=2', { a: '2' }],
    [
      'ch_dsn=tcp://u:p#w@h:9000/db?debug=false&compress=lz4',
      { ch_dsn: 'tcp://u:p#w@h:9000/db?debug=false&compress=lz4' },
    ],
  ])('reads %j', (content, values) => {
    expect(parseEnvFile(content)).toEqual(values)
  })

  it.each([
    ['a=1\n\nsecret line', 'line 3 is not of the form KEY=value'],
    ['a: secret', 'line 1 is not of the form KEY=value'],
    ['=secret', 'line 1 is not of the form KEY=value'],
    ['a=1\nb="secret', 'line 2 has a quote that is never closed'],
    ["a='secret\nb=2", 'line 1 has a quote that is never closed'],
    ["a='x'secret", 'line 1 has more after the closing quote'],
  ])('refuses %j by its line', (content, message) => {
    expect(() => parseEnvFile(content)).toThrow(message)
    expect(() => parseEnvFile(content)).not.toThrow('secret')
  })
})
