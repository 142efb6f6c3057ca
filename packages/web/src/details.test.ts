import { expect, test } from 'vitest'
import { exampleFailure, exampleStatus } from './testing/example-status.js'
import { openWeb } from './testing/open-web.js'
import { ScriptedView } from './testing/scripted-view.js'

const texts = [
  'MySQL at db:3306, database askntp, user ntpuser: the user or password is wrong',
  "Access denied for user 'ntpuser'@'10.0.0.9' (using password: YES)",
  "Access denied for user `ntpuser`@`%` to database 'askntp'",
  'the lock archiver-askntp is held by connection 7, user ntpuser, host 10.0.0.5:4711',
  'user=ntpuser ntpuser@10.0.0.5',
]

function view(): ScriptedView {
  const { service, mysql } = exampleStatus()
  const lock = { name: 'archiver-askntp', holder: 'connection 7, user other-user, host 10.0.0.5:4711' }
  const error = { ...exampleFailure, message: texts.join(' | ') }
  return new ScriptedView(
    exampleStatus({ service: { ...service!, role: 'standby', lock }, mysql: { ...mysql, reachable: false, error } }),
  )
}

test('no answer names the account of MySQL', async () => {
  await using web = await openWeb(view(), { hiddenUsers: ['ntpuser'] })
  for (const path of ['/api/status', '/readyz', '/metrics', '/']) {
    const body = await (await web.get(path)).text()
    expect(body).not.toMatch(/ntpuser|other-user/)
  }
  const status = await (await web.get('/api/status')).text()
  expect(status).toContain('MySQL at db:3306, database askntp, user …: the user or password is wrong')
  expect(status).toContain('connection 7, host 10.0.0.5:4711')
})

test('unless that is asked for', async () => {
  await using web = await openWeb(view())
  expect(await (await web.get('/api/status')).text()).toContain('user ntpuser')
})

test('an account with the name of another word hides no other word', async () => {
  const { mysql } = exampleStatus()
  const error = {
    ...exampleFailure,
    message: 'the archiver at host archiver-1, user archiver: no',
    hint: 'archiver init',
  }
  const status = exampleStatus({ mysql: { ...mysql, error } })
  await using web = await openWeb(new ScriptedView(status), { hiddenUsers: ['archiver', 'a.*(b'] })
  const body = await (await web.get('/api/status')).text()
  expect(body).toContain('the archiver at host archiver-1, user …: no')
  expect(body).toContain('"archiver init"')
})
