import type { ArchiverState, FailureState, HistorySample, ServiceStatus } from '@archiver/service'

const DAY_MS = 86_400_000

/** How long before `nowMs`, as a time; after it where negative. */
function ago(ms: number, nowMs = Date.now()): string {
  return new Date(nowMs - ms).toISOString()
}

const newestId = 4_213_902_118n

export function exampleArchiver(archiver: string, change: Partial<ArchiverState> = {}): ArchiverState {
  return {
    archiver,
    state: 'waiting',
    health: 'ok',
    mark: String(newestId - 2_304n),
    markedAt: ago(1_400),
    lag: { rows: '2304', ms: 3_200 },
    batch: null,
    lastBatch: {
      id: '48213',
      rows: 19_870,
      bytes: 1_284_663,
      identity: 'archiver_log_scores_48213',
      elapsedMs: 214,
      doneAt: ago(1_400),
    },
    nextRunAt: ago(-8_600),
    lastSuccessAt: ago(1_400),
    error: null,
    failuresInARow: 0,
    skippedRows: 0,
    deletedFromSourceRows: 0,
    policy: { minRows: 50, maxRows: 500_000, intervalMs: 0 },
    ...change,
  }
}

function fileArchiver(archiver: string, hours: number): ArchiverState {
  return exampleArchiver(archiver, {
    mark: String(newestId - 86_204_551n),
    markedAt: ago(hours * 3_600_000),
    lag: { rows: '86204551', ms: hours * 3_600_000 + 4_000 },
    lastBatch: {
      id: '1188',
      rows: 9_998_114,
      bytes: 412_771_530,
      identity: '1792454400-4117697567.avro',
      elapsedMs: 9_412,
      doneAt: ago(hours * 3_600_000),
    },
    nextRunAt: ago(hours * 3_600_000 - DAY_MS),
    lastSuccessAt: ago(hours * 3_600_000),
    policy: { minRows: 500_000, maxRows: 10_000_000, intervalMs: DAY_MS },
  })
}

/** A service of four archives and the cleaner where all goes well. */
export function exampleStatus(change: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    version: '1.4.0',
    database: 'ntppool',
    table: 'log_scores',
    host: 'archiver-6d9f7c5b8-x2kqp',
    service: {
      pid: 1,
      startedAt: ago(3 * DAY_MS),
      role: 'leader',
      since: ago(3 * DAY_MS - 12_000),
      lock: { name: 'archiver-ntppool', holder: 'this process' },
      reload: null,
      lostLogLines: 0,
      runbookUrl: 'https://archiver.example/runbook/',
    },
    at: ago(300),
    health: 'ok',
    mysql: {
      reachable: true,
      answeredAt: ago(300),
      error: null,
      nextTryAt: null,
      pool: { open: 4, idle: 3, waiting: 0 },
    },
    newest: { id: String(newestId), ts: ago(900) },
    archivers: [
      exampleArchiver('clickhouse'),
      exampleArchiver('bigquery', {
        state: 'running',
        mark: String(newestId - 1_220_000n),
        markedAt: ago(611_000),
        lag: { rows: '1220000', ms: 612_000 },
        batch: { id: '911', firstId: '4212682119', upToId: '4213902000', rows: 604_160, startedAt: ago(11_000) },
        lastBatch: {
          id: '908',
          rows: 1_218_440,
          bytes: 48_737_600,
          identity: 'archiver_log_scores_908_1',
          elapsedMs: 14_830,
          doneAt: ago(611_000),
        },
        nextRunAt: null,
        lastSuccessAt: ago(611_000),
        policy: { minRows: 200, maxRows: 10_000_000, intervalMs: 600_000 },
      }),
      fileArchiver('gcsavro', 11),
      fileArchiver('fileavro', 7),
    ],
    cleanup: {
      state: 'waiting',
      health: 'ok',
      lastRunAt: ago(95_000),
      nextRunAt: ago(-145_000),
      deletedRows: 200_000,
      keptRows: [{ table: 'scorer_status', rows: 2 }],
      oldestTs: ago(15 * DAY_MS),
      retentionDays: 15,
      blocked: null,
      error: null,
    },
    warnings: [],
    ...change,
  }
}

/** What ClickHouse is like once its server does not answer any more. */
export const exampleFailure: FailureState = {
  at: ago(21_000),
  since: ago(420_000),
  code: 'CLICKHOUSE_UNREACHABLE',
  message: 'ClickHouse at 10.0.0.5:8123 does not answer: connect ECONNREFUSED',
  hint: 'Check that the server runs and that ch_dsn names its address; the archiver tries again.',
}

/** The same service some time after ClickHouse has gone. */
export function failingStatus(sinceMs: number): ServiceStatus {
  const fine = exampleStatus()
  const archivers = fine.archivers.map((one) =>
    one.archiver === 'clickhouse' ? { ...one, ...goneSince(sinceMs) } : one,
  )
  return { ...fine, health: 'failing', archivers }
}

function goneSince(sinceMs: number): Partial<ArchiverState> {
  return {
    state: 'failing',
    health: 'failing',
    markedAt: ago(sinceMs + 4_000),
    lag: { rows: String(2 * sinceMs), ms: sinceMs },
    nextRunAt: ago(-38_000),
    lastSuccessAt: ago(sinceMs + 4_000),
    lastBatch: { ...exampleArchiver('clickhouse').lastBatch!, doneAt: ago(sinceMs + 4_000) },
    error: exampleFailure,
    failuresInARow: 6,
  }
}

const SAMPLE_MS = 30_000

/** Hours of samples that end at `nowMs`: steady with some noise, the files in steps. The same for the same arguments. */
export function exampleHistory(hours = 4, nowMs = Date.now()): HistorySample[] {
  const samples = Math.round((hours * 3_600_000) / SAMPLE_MS)
  return Array.from({ length: samples }, (_, i) => {
    const atMs = nowMs - (samples - 1 - i) * SAMPLE_MS
    return { at: new Date(atMs).toISOString(), archivers: samplesAt(i, samples) }
  })
}

function samplesAt(i: number, samples: number): HistorySample['archivers'] {
  const wave = Math.sin(i / 17) + Math.sin(i / 5.3) / 2 + Math.sin(i * 2.399) / 3
  const rate = 2_000 + 180 * wave
  const sinceLoad = ((i + 9) % 20) * SAMPLE_MS
  const untilNow = (samples - 1 - i) * SAMPLE_MS
  return {
    clickhouse: { lagRows: Math.round(rate * (3 + wave)), lagMs: Math.round(3_600 + 900 * wave), rowsPerSecond: rate },
    bigquery: {
      lagRows: Math.round((rate * (sinceLoad + 9_000)) / 1000),
      lagMs: sinceLoad + 9_000,
      rowsPerSecond: sinceLoad === 0 ? rate * 20 : 0,
    },
    gcsavro: fileSample(11 * 3_600_000 - untilNow, rate),
    fileavro: fileSample(7 * 3_600_000 - untilNow, rate),
  }
}

function fileSample(lagMs: number, rate: number) {
  return { lagRows: Math.round((rate * lagMs) / 1000), lagMs, rowsPerSecond: 0 }
}
