import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpackDebianPrograms } from './debian-packages.js'
import { messageOf, ServiceUnavailable } from './errors.js'
import { findExecutable, runCommand } from './executables.js'
import { freePort } from './free-port.js'
import { ServerProcess, type Started } from './server-process.js'

/** One series of an answer, with its value now. */
export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

export interface PrometheusServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** What an expression of PromQL is now. */
  query(expression: string): Promise<readonly PrometheusSeries[]>
  stop(): Promise<void>
}

export interface PrometheusOptions {
  /** `host:port` to be scraped every second, at `/metrics`. */
  readonly target: string
  /** Files of rules to load. */
  readonly ruleFiles?: readonly string[]
}

interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Starts a private Prometheus (the one on PATH, otherwise Debian's unpacked into the user's cache) on a free port of
 * 127.0.0.1. It ends with this process at the latest.
 *
 * @throws ServiceUnavailable where none can be had.
 */
export async function startPrometheus({
  target,
  ruleFiles = [],
}: PrometheusOptions): Promise<Started<PrometheusServer>> {
  const { prometheus, env } = await findPrometheus()
  const folder = await mkdtemp(join(tmpdir(), 'archiver-prometheus-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'archiver', static_configs: [{ targets: [target] }] }],
  }
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config)) // JSON is YAML
  const process = await ServerProcess.start({
    command: prometheus,
    args: [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    env,
    folder,
    orderlyStop: false,
    answers: () => ask(`${url}/-/ready`),
  })
  return { url, process, query: (expression) => query(url, expression), stop: () => process.stop() }
}

/** Runs promtool on a text, which it gets as its standard input or as a file. @returns what it printed. @throws where it objects. */
export async function promtool(args: readonly string[], text: string, extension = 'prom'): Promise<string> {
  const { promtool: command, env } = await findPrometheus()
  const folder = await mkdtemp(join(tmpdir(), 'archiver-promtool-'))
  try {
    const file = join(folder, `input.${extension}`)
    await writeFile(file, text)
    // It takes metrics from standard input only.
    const shell = 'input=$1; shift; exec "$@" <"$input"'
    return await runCommand('/bin/sh', ['-c', shell, 'promtool', file, command, ...args], env)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function findPrometheus(): Promise<PrometheusPrograms> {
  const [prometheus, tool] = await Promise.all([findExecutable('prometheus'), findExecutable('promtool')])
  if (prometheus && tool) return { prometheus, promtool: tool, env: process.env }
  try {
    const { root, env } = await unpackDebianPrograms('prometheus', ['usr/bin/prometheus', 'usr/bin/promtool'])
    return { prometheus: join(root, 'usr/bin/prometheus'), promtool: join(root, 'usr/bin/promtool'), env }
  } catch (thrown) {
    const hint = 'Install it (Debian: apt-get install prometheus) or put prometheus and promtool on PATH.'
    throw new ServiceUnavailable(`No Prometheus: ${messageOf(thrown)}`, { hint, cause: thrown })
  }
}

async function query(url: string, expression: string): Promise<PrometheusSeries[]> {
  const response = await ask(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
  // As Prometheus answers a query for a vector.
  const { data } = (await response.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
}

async function ask(url: string): Promise<Response> {
  const response = await fetch(url)
  if (response.ok) return response
  throw new Error(`${url}: ${response.status} ${await response.text()}`)
}
