import { expect, test } from 'vitest'
import {
  googleFailure,
  isGoogleLogin,
  isGoogleNotFound,
  isGoogleUnreachable,
  requireGoogleAnswer,
  requireNewPage,
} from './google-failure.js'

const errorOf = (message: string, fields: object) => Object.assign(new Error(message), fields)

test.each([
  [
    'of @google-cloud/common',
    errorOf('Forbidden', { code: 403, errors: [{ reason: 'accessDenied', message: 'Access Denied' }] }),
    { status: 403, reason: 'accessDenied', why: 'Access Denied' },
  ],
  [
    'of gaxios',
    errorOf('403', {
      status: 403,
      response: { data: { error: { code: 403, errors: [{ reason: 'r', message: 'm' }] } } },
    }),
    { status: 403, reason: 'r', why: 'm' },
  ],
  [
    'of Node',
    errorOf('read ECONNRESET', { code: 'ECONNRESET' }),
    { status: undefined, reason: 'ECONNRESET', why: 'read ECONNRESET' },
  ],
  [
    'without a message, of @google-cloud/common',
    errorOf(
      'Multiple errors occurred during the request. Please see the `errors` array for complete details.\n\n    1. [object Object]\n    2. [object Object]\n',
      {
        code: 404,
        errors: [{}],
        response: { statusText: 'Not Found' },
      },
    ),
    { status: 404, reason: '404', why: 'HTTP status 404 Not Found without a message' },
  ],
  [
    'with one message of two',
    errorOf('Multiple errors occurred during the request.\n\n    1. no such bucket\n    2. [object Object]\n', {
      code: 404,
    }),
    { status: 404, reason: '404', why: 'Multiple errors occurred during the request. 1. no such bucket' },
  ],
  ['that is an object', { status: 500 }, { status: 500, reason: '', why: 'HTTP status 500 without a message' }],
  ['that is none', 'odd', { status: undefined, reason: '', why: 'odd' }],
])('reads an error %s', (_, thrown, expected) => {
  expect(googleFailure(thrown)).toMatchObject(expected)
})

test('is one short line without keys or tokens', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----'
  const text = `bad\n key ${key} with Bearer SECRET.1 and ya29.SECRET at /o?upload_id=SECRET&x=1`
  expect(googleFailure(new Error(text)).why).toBe('bad key … with Bearer … and ya29.… at /o?upload_id=…&x=1')
  expect(googleFailure(new Error('x'.repeat(9999))).why.length).toBeLessThan(600)
})

test('tells refused credentials and broken networks from the rest', () => {
  expect(isGoogleLogin(googleFailure(errorOf('x', { code: 401 })))).toBe(true)
  expect(isGoogleLogin(googleFailure(errorOf('invalid_grant', { status: 400 })))).toBe(true)
  expect(isGoogleLogin(googleFailure(new Error('Could not load the default credentials.')))).toBe(true)
  expect(isGoogleLogin(googleFailure(errorOf('credential', { code: 403 })))).toBe(false)
  expect(isGoogleUnreachable(googleFailure(errorOf('x', { code: 'ENOTFOUND' })))).toBe(true)
  expect(isGoogleUnreachable(googleFailure(errorOf('timeout', { code: 503 })))).toBe(false)
  expect(isGoogleUnreachable(googleFailure(new TypeError('x is not a function')))).toBe(false)
})

test('tells an answer of Google from a page of a proxy', () => {
  const ofGoogle = googleFailure(errorOf('x', { code: 404, errors: [{ reason: 'notFound', message: 'Not found' }] }))
  const ofProxy = googleFailure(errorOf('x', { code: 404, errors: [{ message: '<html>' }] }))
  expect([isGoogleNotFound(ofGoogle), isGoogleUnreachable(ofGoogle)]).toEqual([true, false])
  expect([isGoogleNotFound(ofProxy), isGoogleUnreachable(ofProxy)]).toEqual([false, true])
  expect(requireGoogleAnswer({ kind: 'storage#objects' })).toEqual({ kind: 'storage#objects' })
  for (const answer of ['<html>', undefined, {}, null]) {
    const failure = () => requireGoogleAnswer(answer)
    expect(failure).toThrow('no answer of Google')
  }
})

test('a list whose next page is the same page ends', () => {
  expect(requireNewPage('b', 'a')).toBe('b')
  expect(() => requireNewPage('a', 'a')).toThrow('same page')
})
