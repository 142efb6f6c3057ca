import { expect, test } from 'vitest'
import { TerminalText } from './output.js'

function shown(...pieces: readonly (string | Uint8Array)[]): string {
  const text = new TerminalText()
  return pieces.map((piece) => text.next(Buffer.from(piece))).join('')
}

test('lines of JSON stay lines, with what a terminal would obey escaped', () => {
  expect(shown('{"error":"\x9b31m\u202e"}\n{"a":1}\n')).toBe('{"error":"\\u009b31m\\u202e"}\n{"a":1}\n')
})

test('a value of CSV forges no line', () => {
  expect(shown('1,"a\nb\x1b]0;x\x07",2\r\n', '3,4\r\n')).toBe('1,"a\\u000ab\\u001b]0;x\\u0007",2\n3,4\n')
})

test('a character that is split between two pieces is whole, and quotes are remembered', () => {
  const bytes = Buffer.from('"東\n"\n')
  expect(shown(bytes.subarray(0, 2), bytes.subarray(2))).toBe('"東\\u000a"\n')
})
