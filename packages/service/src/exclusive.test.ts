import { expect, test } from 'vitest'
import { Exclusive } from './exclusive.js'

test('one at a time under a name, in order, whatever becomes of those before; other names do not wait', async () => {
  const exclusive = new Exclusive()
  const log: string[] = []
  const first = Promise.withResolvers<void>()
  const failing = exclusive.run('a', async () => {
    log.push('first')
    await first.promise
    throw new Error('failed')
  })
  const second = exclusive.run('a', async () => log.push('second'))
  const third = exclusive.run('a', async () => log.push('third'))
  await exclusive.run('b', async () => log.push('other'))
  expect(log).toEqual(['first', 'other'])
  first.resolve()
  await expect(failing).rejects.toThrow('failed')
  await Promise.all([second, third])
  expect(log).toEqual(['first', 'other', 'second', 'third'])
})
