import { type StdioOptions, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { MySqlDatabase } from '@archiver/testkit'

export const launcher = fileURLToPath(new URL('../../../../archiver', import.meta.url))

export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** The log lines, parsed. */
  readonly events: readonly LogLine[]
}

export interface LogLine {
  readonly event: string
  readonly archiver?: string
  readonly msg: string
  readonly rows?: number
  readonly failed?: readonly string[]
  readonly error?: { readonly code: string; readonly hint?: string }
}

export type CliEnv = Readonly<Record<string, string | undefined>>

/** Runs `./archiver` as a user does, with these settings and no others. */
export async function runCli(args: readonly string[], env: CliEnv): Promise<CliRun> {
  const child = spawn(launcher, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)]
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return { code, stdout: await stdout, stderr: await stderr, events: logLines(await stderr) }
}

/** Runs `./archiver` with one of its streams on a device whose disk is always full. */
export async function runCliIntoFull(
  stream: 'stdout' | 'stderr',
  args: readonly string[],
  env: CliEnv,
): Promise<CliRun> {
  await using full = await open('/dev/full', 'w')
  const stdio: StdioOptions = stream === 'stdout' ? ['ignore', full.fd, 'pipe'] : ['ignore', 'pipe', full.fd]
  const child = spawn(launcher, args, { env: { PATH: process.env.PATH, ...env }, stdio })
  const [stdout, stderr] = [text(child.stdout ?? Readable.from([])), text(child.stderr ?? Readable.from([]))]
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return { code, stdout: await stdout, stderr: await stderr, events: [] }
}

/** Settings that reach a database of the testkit, with batches that take every row at once. */
export function settingsFor({ address }: MySqlDatabase): Record<string, string> {
  return {
    db_host: `${address.host}:${address.port}`,
    db_database: address.database,
    db_user: address.user,
    db_pass: address.password,
    batch_avro_interval: '0s',
    batch_avro_min_size: '1',
    batch_ch_min_size: '1',
    archive_takeover_wait: '0s',
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const piece of stream.setEncoding('utf8')) all += String(piece)
  return all
}

function logLines(stderr: string): LogLine[] {
  // Each line is an event of the log reporter; anything else is a message for people.
  return stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
}
