import { expect, test } from 'vitest'
import { parseAttributes } from './attributes.js'

const none = { leap: null, error: null, warning: null }

test.each([
  [null, none],
  ['', none],
  ['null', none],
  ['{}', none],
  ['{"leap":0}', none],
  ['{"leap":0,"error":"","warning":""}', none],
  ['{"leap":3,"error":"i/o timeout"}', { leap: 3, error: 'i/o timeout', warning: null }],
  ['{"leap":null,"warning":"slow","stratum":2}', { leap: null, error: null, warning: 'slow' }],
])('reads %s', (json, expected) => {
  expect(parseAttributes(json)).toEqual(expected)
})

test.each([
  ['{"leap":4}', 'leap is 4'],
  ['{"leap":"1"}', 'leap is "1"'],
  ['{"leap":1.5}', 'leap is 1.5'],
  ['{"error":5}', 'error is 5'],
  ['{"warning":[]}', 'warning is []'],
  ['[1]', 'not a JSON object: [1]'],
  ['"text"', 'not a JSON object'],
  ['{"leap":', 'not a JSON object'],
])('refuses %s', (json, why) => {
  expect(parseAttributes(json)).toContain(why)
})
