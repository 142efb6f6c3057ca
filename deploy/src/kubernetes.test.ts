import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Python, pythonWith } from '@archiver/testkit'
import { describeNeeding } from '@archiver/testkit/vitest'
import { PrometheusRule, ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { kustomize, type Program } from './programs.js'

const folder = join(import.meta.dirname, '../kubernetes')
/** The oldest and the newest that are in use, as their schemas are published. */
const kubernetesVersions = ['1.31', '1.34']

const python = () => pythonWith('kubernetes-validate==1.37.0')

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly spec: Spec
  readonly data?: Record<string, string>
}
interface Spec {
  readonly replicas: number
  readonly selector: { readonly matchLabels: Record<string, string> }
  readonly template: Template
  readonly jobTemplate: { readonly spec: { readonly template: Template } }
  readonly podSelector: { readonly matchLabels: Record<string, string> }
  readonly egress: readonly { readonly to: readonly object[] }[]
}
interface Template {
  readonly metadata: { readonly labels: Record<string, string> }
  readonly spec: PodSpec
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: object
  readonly containers: readonly Container[]
  readonly volumes: readonly { readonly name: string; readonly secret?: object }[]
}
interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly securityContext: object
  readonly resources: { readonly limits: Record<string, string> }
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } }
}

async function built(build: Program, path: string): Promise<Manifest[]> {
  const yaml = await build('build', join(folder, path))
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest)
}

const find = (manifests: readonly Manifest[], kind: string) => manifests.find((manifest) => manifest.kind === kind)!

/** What the published schemas say of a manifest, unknown fields included. */
async function validate(validator: Python, manifests: readonly Manifest[], version: string): Promise<string> {
  const script = [
    'import json, sys, kubernetes_validate as k',
    'for m in json.loads(sys.argv[1]):',
    '    try: k.validate(m, sys.argv[2], strict=True)',
    '    except Exception as e: print(m["kind"], m["metadata"]["name"], str(e).splitlines()[0])',
  ].join('\n')
  return validator.run(script, JSON.stringify(manifests), version)
}

await describeNeeding('the manifests', { build: kustomize, python }, ({ build, python }) => {
  describe.each(['base', 'cronjob', 'overlays/beta', 'overlays/prod', 'overlays/local'])('%s', (path) => {
    let manifests: Manifest[]
    let pod: PodSpec
    let labels: Record<string, string>
    beforeAll(async () => {
      manifests = await built(build, path)
      const { template, jobTemplate } = (find(manifests, 'Deployment') ?? find(manifests, 'CronJob')).spec
      const { metadata, spec } = template ?? jobTemplate.spec.template
      pod = spec
      labels = metadata.labels
    })

    test.each(kubernetesVersions)('fits the schemas of Kubernetes %s', async (version) => {
      const ofKubernetes = manifests.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.'))
      expect(ofKubernetes.length).toBeGreaterThan(3)
      expect(await validate(python, ofKubernetes, version)).toBe('')
    })

    test('runs as nobody, with nothing to write on but its volumes', () => {
      const [container] = pod.containers
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(container!.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(container!.resources.limits).toMatchObject({ memory: '384Mi' })
    })

    test('has its secrets where the Go program has them, and 30 s to end', () => {
      expect(pod.terminationGracePeriodSeconds).toBe(30)
      expect(pod.containers[0]!.volumeMounts).toEqual(
        expect.arrayContaining([
          { name: 'secrets', mountPath: '/vault/secrets', readOnly: true },
          { name: 'keys', mountPath: '/keys', readOnly: true },
        ]),
      )
      const mounted = pod.containers[0]!.volumeMounts.map(({ name }) => name).sort()
      expect(pod.volumes.map(({ name }) => name).sort()).toEqual(mounted)
    })

    test('its network policy is for its pods alone, and lets them ask the DNS', () => {
      const { podSelector, egress } = find(manifests, 'NetworkPolicy').spec
      expect(podSelector).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'archiver' } })
      expect(labels).toMatchObject(podSelector.matchLabels)
      expect(egress[0]!.to).toEqual([
        { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
      ])
    })

    test('sets variables that the program knows', () => {
      const known = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
      const settings = manifests.find(({ metadata }) => metadata.name.startsWith('archiver-settings'))
      const names = Object.keys(settings?.data ?? {}).filter((name) => name !== 'MALLOC_ARENA_MAX')
      expect(names).toContain('spool_path')
      expect(names.filter((name) => !known.includes(`| \`${name}\` |`))).toEqual([])
    })
  })

  test('a field that is misspelt is found', async () => {
    const manifests = await built(build, 'base')
    const wrong = { ...find(manifests, 'Service'), spec: { selectors: {} } } as unknown as Manifest
    expect(await validate(python, [wrong], kubernetesVersions[0]!)).toContain('Service archiver')
  })
})

await describeNeeding('the service', { build: kustomize }, ({ build }) => {
  test.each([
    ['base', 2],
    ['overlays/beta', 2],
    ['overlays/prod', 2],
    ['overlays/local', 1],
  ])('%s has its replicas, probes and selectors', async (path, replicas) => {
    const { spec } = find(await built(build, path), 'Deployment')
    expect(spec.replicas).toBe(replicas)
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels)
    expect(Object.keys(spec.selector.matchLabels)).not.toEqual([])
    const service = (await built(build, path)).find(({ kind }) => kind === 'Service')!
    expect(spec.template.metadata.labels).toMatchObject(service.spec.selector)
    const [container] = spec.template.spec.containers
    expect(container!.args).toEqual(['run'])
    expect(container!.livenessProbe!.httpGet.path).toBe('/healthz')
    expect(container!.readinessProbe!.httpGet.path).toBe('/readyz')
  })

  test.each(['base', 'overlays/prod'])('%s can do without one of its pods at a time', async (path) => {
    const manifests = await built(build, path)
    expect(find(manifests, 'PodDisruptionBudget').spec).toMatchObject({ maxUnavailable: 1 })
    expect(find(manifests, 'PodDisruptionBudget').spec.selector).toEqual(find(manifests, 'Deployment').spec.selector)
  })

  test.each(['overlays/beta', 'overlays/prod'])('%s brings what the operator of Prometheus takes', async (path) => {
    const manifests = await built(build, path)
    // Their constructors take what the schema says; validate() throws where it is something else.
    new ServiceMonitor(find(manifests, 'ServiceMonitor') as never).validate()
    new PrometheusRule(find(manifests, 'PrometheusRule') as never).validate()
    const dashboard = manifests.find(({ metadata }) => metadata.name === 'archiver-dashboard')
    expect(dashboard?.metadata.labels).toMatchObject({ grafana_dashboard: '1' })
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace)).size).toBe(1)
  })
})
