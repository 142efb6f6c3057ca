import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Of Prometheus itself, and what a histogram is made of. */
const others = new Set(['up'])
const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')

/** docs/metrics.md, which a test of @archiver/web holds to what /metrics answers. */
const documented = new Set(
  [...read('docs/metrics.md').matchAll(/`((?:archiver|process|nodejs)_\w+)`/g)].map(([, name]) => name!),
)

function metricsIn(expression: string): string[] {
  const names = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(by|on|without|ignoring) ?\([^)]*\)/g, '')
  return [...names.matchAll(/\b(up|(?:archiver|process|nodejs)_\w+)\b/g)].map(([, name]) => base(name!))
}

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}
const dashboard = JSON.parse(read('deploy/grafana/archiver.json')) as { readonly panels: readonly Panel[] }
const alerts = parse(read('deploy/prometheus/alerts.yaml')) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

const uses = [
  ...dashboard.panels.map(({ title, targets }) => ({
    where: `the panel ${title}`,
    expressions: targets.map(({ expr }) => expr),
  })),
  ...alerts.groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr }) => ({ where: `the alert ${alert}`, expressions: [expr] })),
  ),
]

test.each(uses)('$where names metrics that there are', ({ expressions }) => {
  const names = expressions.flatMap(metricsIn)
  expect(names).not.toEqual([])
  expect(names.filter((name) => !documented.has(name) && !others.has(name))).toEqual([])
})

test('the dashboard shows lag, rate, errors, the age of marks, cleanup and memory', () => {
  const shown = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr)))
  expect(shown).toEqual(
    expect.arrayContaining([
      'archiver_lag_rows',
      'archiver_archived_rows_total',
      'archiver_errors_total',
      'archiver_marked_timestamp_seconds',
      'archiver_cleanup_blocked',
      'process_resident_memory_bytes',
    ]),
  )
})
