import type { HistorySample } from '@archiver/service'

/** One point of a chart. */
export interface Point {
  readonly ms: number
  /** Null: not known. */
  readonly value: number | null
}

/** As long as the service itself keeps them. */
const KEPT_MS = 6 * 3_600_000

/** The samples of the last hours, as this page knows them. */
export class History {
  private samples: readonly HistorySample[] = []
  /** Changes with the samples. */
  version = 0

  replace(samples: readonly HistorySample[]): void {
    this.samples = samples
    this.version++
  }

  add(sample: HistorySample): void {
    if (this.samples.some(({ at }) => at === sample.at)) return
    const oldestMs = Date.parse(sample.at) - KEPT_MS
    this.samples = [...this.samples.filter(({ at }) => Date.parse(at) >= oldestMs), sample]
    this.version++
  }

  lagMs(archiver: string): Point[] {
    return this.points((sample) => sample.archivers[archiver]?.lagMs ?? null)
  }

  rowsPerSecond(archiver: string): Point[] {
    return this.points((sample) => sample.archivers[archiver]?.rowsPerSecond ?? null)
  }

  private points(value: (sample: HistorySample) => number | null): Point[] {
    return this.samples.map((sample) => ({ ms: Date.parse(sample.at), value: value(sample) }))
  }
}

/** The mean of the last `windowMs`, or of what there is, and how long that is. Null without a point. */
export function recentMean(points: readonly Point[], windowMs: number): { value: number; overMs: number } | null {
  const lastMs = points.at(-1)?.ms
  if (lastMs === undefined) return null
  const known = points.filter(({ ms, value }) => value !== null && ms > lastMs - windowMs)
  const firstMs = known[0]?.ms
  if (firstMs === undefined) return null
  const sum = known.reduce((total, { value }) => total + (value ?? 0), 0)
  const stepMs = known.length > 1 ? (lastMs - firstMs) / (known.length - 1) : 0
  return { value: sum / known.length, overMs: lastMs - firstMs + stepMs }
}
