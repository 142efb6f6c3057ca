import { expect, test } from 'vitest'
import { auditVerdict } from './audit.mjs'

test('a known vulnerability fails', () => {
  const stdout = JSON.stringify({ advisories: { 1: { module_name: 'left-pad', severity: 'high' } } })
  expect(auditVerdict({ code: 1, stdout, output: stdout })).toMatchObject({ ok: false, output: stdout })
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
