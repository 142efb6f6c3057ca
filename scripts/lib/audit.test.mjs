import { expect, test } from 'vitest'
import { auditVerdict } from './audit.mjs'

test('a known vulnerability fails', () => {
  const advisory = {
    module_name: 'left-pad',
    vulnerable_versions: '<2',
    severity: 'high',
    title: 'bad',
    url: 'https://a.b',
  }
  const stdout = JSON.stringify({ advisories: { 1: advisory } })
  const output = 'left-pad <2: bad (high), https://a.b'
  expect(auditVerdict({ code: 1, stdout, output: stdout })).toMatchObject({ ok: false, output })
})

test('none known passes', () => {
  expect(auditVerdict({ code: 0, stdout: '{}', output: '{}' }).ok).toBe(true)
})

test('a service out of reach is said, and passes', () => {
  const output = 'Error: ERR_PNPM_AUDIT_BAD_RESPONSE\n\n  × The audit endpoint responded with 405:'
  const { ok, note } = auditVerdict({ code: 1, stdout: '', output })
  expect(ok).toBe(true)
  expect(note).toContain('NOT DONE')
  expect(note).toContain('ERR_PNPM_AUDIT_BAD_RESPONSE')
})
