import { seededRandom } from './random.js'

/** A row of the source table, as it is stored there. */
export interface SourceRow {
  readonly id: bigint
  readonly monitorId: number | null
  readonly serverId: number
  /** Seconds since 1970-01-01 UTC. */
  readonly tsSeconds: number
  readonly score: number
  readonly step: number
  /** Seconds. */
  readonly offset: number | null
  /** Microseconds. */
  readonly rtt: number | null
  /** JSON text. */
  readonly attributes: string | null
}

export interface GenerateOptions {
  /** Default 1. The same options give the same rows. */
  readonly seed?: number
  /** How many rows; 0 or more. */
  readonly rows: number
  /** Default 1. */
  readonly firstId?: bigint
  /** Time of the first row, in seconds. Default 2026-11-01T00:00:00Z. */
  readonly startSeconds?: number
  /** How fast time goes on. Default 15: a million rows span eighteen hours. */
  readonly rowsPerSecond?: number
  /** Default 5000. */
  readonly servers?: number
  /** Default 60. */
  readonly monitors?: number
}

const failures = [
  '{"leap":0,"error":"i/o timeout"}',
  '{"leap":0,"error":"i/o timeout"}',
  '{"leap":0,"error":"i/o timeout"}',
  '{"leap":0,"error":"network is unreachable"}',
  '{"leap":0,"error":"connection refused"}',
  '{"leap":3,"error":"untrusted: bad stratum 16"}',
  '{"leap":0,"error":"kiss code: RATE"}',
  '{"leap":0,"error":"no route to host"}',
]

/**
 * Rows as the NTP Pool's monitors write them: scores walk up by one step and fall when a server fails or drifts, about
 * one measurement in forty fails, some report a leap second or a warning. Ids rise by one, times by and large.
 */
export function* generateRows(options: GenerateOptions): Generator<SourceRow> {
  const { rows, firstId = 1n, startSeconds = 1_793_491_200, rowsPerSecond = 15 } = options
  const random = seededRandom(options.seed ?? 1)
  const pool = new ServerPool(options.servers ?? 5000, random)
  const monitors = options.monitors ?? 60
  for (let i = 0; i < rows; i++) {
    const monitorId = random() < 0.02 ? null : 1 + Math.floor(random() * monitors)
    const tsSeconds = startSeconds + Math.floor(i / rowsPerSecond) + Math.floor(random() * 4)
    yield { id: firstId + BigInt(i), monitorId, tsSeconds, ...pool.measure() }
  }
}

type Measurement = Omit<SourceRow, 'id' | 'monitorId' | 'tsSeconds'>

/** Each server has a usual delay, a usual offset, a chance to fail, and a score that remembers. */
class ServerPool {
  readonly #random: () => number
  readonly #scores: Float64Array
  readonly #delays: Float64Array
  readonly #offsets: Float64Array

  constructor(servers: number, random: () => number) {
    this.#random = random
    this.#scores = Float64Array.from({ length: servers }, () => 20 - 8 * random() ** 3)
    this.#delays = Float64Array.from({ length: servers }, () => 3_000 + 200_000 * random() ** 2)
    this.#offsets = Float64Array.from({ length: servers }, () => (random() - 0.5) * 0.01)
  }

  measure(): Measurement {
    const random = this.#random
    const server = Math.floor(random() * this.#scores.length)
    const fails = random() < (server % 100 === 0 ? 0.6 : 0.019)
    const offset = fails ? null : round(this.#offsets[server]! + (random() - 0.5) * 0.004, 9)
    const rtt = fails ? null : Math.round(this.#delays[server]! * (0.9 + 0.4 * random()))
    const step = fails ? -5 : Math.abs(offset!) > 0.006 ? round(1 - 60 * Math.abs(offset!), 6) : 1
    const score = round(Math.min(20, this.#scores[server]! * 0.95 + step), 9)
    this.#scores[server] = score
    return { serverId: server + 1, score, step, offset, rtt, attributes: this.#attributes(fails) }
  }

  #attributes(fails: boolean): string {
    const chance = this.#random()
    if (fails) return failures[Math.floor(chance * failures.length)]!
    if (chance < 0.003) return `{"leap":${1 + Math.floor(chance * 1000)}}`
    if (chance < 0.004) return '{"leap":0,"warning":"zero transmit time"}'
    return '{"leap":0}'
  }
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}
