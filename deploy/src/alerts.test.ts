import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promtool } from '@archiver/testkit'
import { describeWithPrometheus } from '@archiver/testkit/vitest'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { prometheusRule } from '../generate.mjs'

const folder = join(import.meta.dirname, '../prometheus')
const alerts = readFileSync(join(folder, 'alerts.yaml'), 'utf8')
const rules = (parse(alerts) as RuleFile).groups.flatMap((group) => group.rules)

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}
interface Rule {
  readonly alert: string
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

await describeWithPrometheus('promtool', () => {
  test('finds nothing wrong with the rules', async () => {
    const answer = await promtool(['check', 'rules', join(folder, 'alerts.yaml')], '')
    expect(answer).toContain(`SUCCESS: ${rules.length} rules found`)
  })

  test('sees each alert rise when it should, and not before', async () => {
    expect(await promtool(['test', 'rules', join(folder, 'alerts.test.yaml')], '')).toContain('SUCCESS')
  })
})

test.each(rules)('$alert is tested, and links to its page', ({ alert, annotations, labels }) => {
  const tests = readFileSync(join(folder, 'alerts.test.yaml'), 'utf8')
  expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:`))
  const { pathname } = new URL(annotations.runbook_url!)
  expect(pathname).toBe(`/runbook/alerts/${alert}`)
  expect(existsSync(join(import.meta.dirname, '../../docs', `${pathname}.md`))).toBe(true)
  expect(['page', 'ticket']).toContain(labels.severity)
})

test('the rules for the Prometheus operator are those for Prometheus', () => {
  const written = readFileSync(join(folder, 'prometheus-rule.yaml'), 'utf8')
  expect(written, 'out of date: node deploy/generate.mjs').toBe(prometheusRule(alerts))
})
