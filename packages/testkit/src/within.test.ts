import { expect, test } from 'vitest'
import { within } from './within.js'

test('a step in time gives its value, or its error', async () => {
  expect(await within(60_000, 'kill 1', Promise.resolve(7))).toBe(7)
  await expect(within(60_000, 'kill 1', Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

test('a step that takes too long is named', async () => {
  await expect(within(20, 'kill 3', new Promise(() => {}))).rejects.toThrow('kill 3: not done within 0.02 s')
})
