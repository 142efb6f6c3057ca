import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, type LoggingProcess, type MySqlDatabase } from '@archiver/testkit'
import { describeWithMySql, describeWithOwnMySql, sharedClickHouse } from '@archiver/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiverName } from './archives.js'
import type { CliEnv } from './cli.js'
import { gcsIfAny } from './cloud.js'
import { Arrivals, RUN_INTERVAL_MS, startService } from './service-process.js'
import { Site } from './site.js'
import { TcpProxy } from './tcp-proxy.js'

const TAKEOVER_MS = 10_000
/** How long a state of things is waited for. */
const PATIENT = { timeout: 30_000, interval: 50 }
const both: readonly ArchiverName[] = ['fileavro', 'clickhouse']

function isAlive({ child }: LoggingProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function leads(service: LoggingProcess, sinceMs: number, from = 0): Promise<number> {
  const { time } = await service.event('service.leading', () => true, from)
  return Date.parse(time) - sinceMs
}

async function caughtUp(site: Site, archivers: readonly ArchiverName[]): Promise<void> {
  const [rows] = await site.connection.query('select max(id) as id from log_scores')
  const [{ id }] = rows as [{ id: number }]
  const wanted = Object.fromEntries(archivers.map((name) => [name, id]))
  await expect.poll(() => site.marks(), PATIENT).toEqual(wanted)
}

await describeWithMySql('the service', (database) => {
  let site: Site
  let services: LoggingProcess[]
  beforeAll(async () => {
    site = await Site.open(database, await sharedClickHouse(), await gcsIfAny())
  })
  beforeEach(async () => {
    services = []
    await site.fill(2_000, both)
  })
  afterEach(async () => {
