// Writes what is made from something else: the rules for the Prometheus operator, from those for Prometheus.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

const folder = join(import.meta.dirname, 'prometheus')

/** The PrometheusRule that holds the groups of alerts.yaml. */
export function prometheusRule(alerts) {
  const head = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'archiver' } }
  return `# Made from alerts.yaml by deploy/generate.mjs.\n${stringify({ ...head, spec: parse(alerts) }, { lineWidth: 0 })}`
}

if (import.meta.filename === process.argv[1]) {
  writeFileSync(join(folder, 'prometheus-rule.yaml'), prometheusRule(readFileSync(join(folder, 'alerts.yaml'), 'utf8')))
}
