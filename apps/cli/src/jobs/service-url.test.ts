import { expect, test } from 'vitest'
import { serviceUrl } from './service-url.js'

test.each([
  [':5000', 'http://127.0.0.1:5000'],
  ['0.0.0.0:5000', 'http://127.0.0.1:5000'],
  ['[::]:5000', 'http://[::1]:5000'],
  ['[fe80::1]:80', 'http://[fe80::1]:80'],
  ['localhost:7', 'http://localhost:7'],
  [':0', null],
  ['', null],
])('a service that listens on %j answers at %s', (listen, url) => {
  expect(serviceUrl(listen)).toBe(url)
})
