import { expect, test } from 'vitest'
import type { Archiver } from '../contract/archiver.js'
import { ArchiverError } from '../contract/errors.js'
import type { EngineEvent } from './events.js'
import { reportWarnings } from './warnings.js'

function archiverWith(...messages: string[]): Archiver {
  const takeWarnings = () => messages.map((message) => new ArchiverError(message, { code: 'TEST' }))
  return { name: 'fileavro', takeWarnings } as Partial<Archiver> as Archiver // nothing else is asked
}

test('a warning is reported once, whichever pass opened the archiver; another one is reported too', () => {
  const events: EngineEvent[] = []
  const onEvent = (event: EngineEvent) => void events.push(event)
  for (let pass = 0; pass < 3; pass++) reportWarnings(archiverWith('no sync in /a', 'no sync in /b'), 't', onEvent)
  reportWarnings(archiverWith('no sync in /a'), 'other', onEvent)
  reportWarnings({ name: 'x' } as Partial<Archiver> as Archiver, 't', onEvent)
  expect(events).toMatchObject([
    { event: 'archiver.warning', archiver: 'fileavro', error: { code: 'TEST', message: 'no sync in /a' } },
    { error: { message: 'no sync in /b' } },
    { error: { message: 'no sync in /a' } },
  ])
})
