import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pythonWith } from '@archiver/testkit'
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { describe, expect, test } from 'vitest'
import { chart, examples, find, helm, type Manifest, podOf, rendered } from './chart.js'
import { ifAny } from './programs.js'

const root = resolve(import.meta.dirname, '../..')
const kubernetesVersions = ['1.31', '1.34']

const python = await ifAny(() => pythonWith('kubernetes-validate==1.37.0'))

/** What the published schemas say of manifests, unknown fields included. */
async function validate(manifests: readonly Manifest[], version: string): Promise<string> {
  const script = [
    'import json, sys, kubernetes_validate as k',
    'for m in json.loads(sys.argv[1]):',
    '    try: k.validate(m, sys.argv[2], strict=True)',
    '    except Exception as e: print(m["kind"], m["metadata"]["name"], str(e).splitlines()[0])',
  ].join('\n')
  return python!.run(script, JSON.stringify(manifests), version)
}

/** Everything that a values file may turn on. */
const everything = [
  ...['--set', 'archiveClaim=avro,replicas=1,podLabels.team=ntp,podAnnotations.note=x,imagePullSecrets[0].name=pull'],
  ...['--set', 'nodeSelector.disk=ssd,tolerations[0].operator=Exists,image.tag=2.0.0'],
]

describe.skipIf(helm === undefined)('the chart', () => {
  test.each([
    ['as it is', []],
    ['with the example', ['-f', join(examples, 'run.yaml')]],
    ['with everything', everything],
  ])('%s: helm finds nothing wrong, and it fits the schemas of Kubernetes', async (_, args) => {
    const linted = await helm!('lint', '--strict', '--kube-version', '1.31', ...args, chart)
    expect(linted).toContain('0 chart(s) failed')
    expect(linted).not.toMatch(/\[(?:WARNING|ERROR)\]/)
    const manifests = await rendered(chart, ...args)
    const ofKubernetes = manifests.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.'))
    expect(ofKubernetes.length).toBeGreaterThan(3)
    for (const version of python === undefined ? [] : kubernetesVersions)
      expect(await validate(ofKubernetes, version)).toBe('')
    const { volumes, containers } = podOf(manifests)
    const mounted = containers[0].volumeMounts!.map(({ name }) => name).sort()
    expect(volumes!.map(({ name }) => name).sort()).toEqual(mounted)
  })

  test('brings probes, metrics and the settings, numbers as they were written', async () => {
    const large = ['--set', 'settings.batch_bq_max_size=10000000,settings.log_format=pretty,settings.bq_via_gcs=true']
    const manifests = await rendered(chart, '-f', join(examples, 'run.yaml'), ...large)
    const [container] = podOf(manifests).containers
    expect(container.livenessProbe!.httpGet.path).toBe('/healthz')
    expect(container.readinessProbe!.httpGet.path).toBe('/readyz')
    new ServiceMonitor(find(manifests, 'ServiceMonitor') as never).validate()
    expect(find(manifests, 'ConfigMap').data).toEqual({
      MALLOC_ARENA_MAX: '1',
      batch_bq_max_size: '10000000',
      batch_ch_max_size: '500000',
      bq_via_gcs: 'true',
      log_format: 'pretty',
      quarantine_path: '/spool',
      run_interval: '30s',
      spool_path: '/spool',
    })
    expect(find(await rendered(chart, '--set', 'replicas=1'), 'PodDisruptionBudget')).toBeUndefined()
  })

  test('a value that is misspelt is refused by name', async () => {
    await expect(rendered(chart, '--set', 'replicaz=3')).rejects.toThrow('replicaz')
  })

  test('its version is that of the program', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8')) as { version: string }
    const text = readFileSync(join(chart, 'Chart.yaml'), 'utf8')
    expect(text).toContain(`appVersion: "${version}"`)
    for (const name of ['run.yaml', 'pool-chart.yaml'])
      expect(readFileSync(join(examples, name), 'utf8')).toContain(`tag: "${version}"`)
  })
})
