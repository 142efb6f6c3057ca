import { join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { helm as findHelm, ifAny } from './programs.js'

const folder = resolve(import.meta.dirname, '../helm')
/** Our own chart, and values files for both ways to run the image. */
export const chart = join(folder, 'archiver')
export const examples = join(folder, 'examples')
/** Undefined where it cannot be had. */
export const helm = await ifAny(findHelm)

export interface Container {
  readonly command: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value: string }[]
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly image: string
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } }
}
export interface Pod {
  readonly securityContext?: { readonly runAsUser?: number }
  readonly containers: readonly [Container]
  readonly volumes?: readonly { readonly name: string }[]
}
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Readonly<Record<string, string>>
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: Pod } }
}

/** What helm makes of a chart with these further arguments. */
export async function rendered(path: string, ...args: readonly string[]): Promise<Manifest[]> {
  const yaml = await helm!('template', 'archiver', path, '--kube-version', '1.31', ...args)
  return parseAllDocuments(yaml).flatMap((document) => (document.toJS() as Manifest | null) ?? [])
}

export const find = (manifests: readonly Manifest[], kind: string) =>
  manifests.find((manifest) => manifest.kind === kind)!
export const podOf = (manifests: readonly Manifest[]) => find(manifests, 'Deployment').spec.template.spec
