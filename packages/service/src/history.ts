import type { ArchiverState, HistorySample } from './status.js'

/** So much is kept: 720 samples of half a minute are six hours. */
const SAMPLE_INTERVAL_MS = 30_000
const MOST_SAMPLES = 720

interface Reached {
  readonly firstId: bigint
  readonly rows: number
}

/** Lag and throughput over the last hours, in bounded memory. */
export class History {
  readonly #samples: HistorySample[] = []
  readonly #rows = new Map<string, number>()
  readonly #reached = new Map<string, Reached>()
  #sampledAtMs: number | undefined

  get samples(): readonly HistorySample[] {
    return this.#samples
  }

  /** So many rows of the batch that begins there are done. What an earlier try of it had reached is not counted again. */
  reached(archiver: string, firstId: bigint, rows: number): void {
    const before = this.#reached.get(archiver)
    const counted = before?.firstId === firstId ? before.rows : 0
    if (rows <= counted) return
    this.#reached.set(archiver, { firstId, rows })
    this.#rows.set(archiver, (this.#rows.get(archiver) ?? 0) + rows - counted)
  }

  /**
   * Adds a sample where it is time for one.
   *
   * @param nowMs - on a clock that never steps.
   */
  sample(
    at: string,
    nowMs: number,
    lags: Readonly<Record<string, { readonly lagRows: number | null; readonly lagMs: number | null }>>,
  ): void {
    const elapsedMs = nowMs - (this.#sampledAtMs ?? Number.NEGATIVE_INFINITY)
    if (elapsedMs < SAMPLE_INTERVAL_MS) return
    const archivers = Object.fromEntries(
      Object.entries(lags).map(([name, lag]) => [name, { ...lag, rowsPerSecond: this.#rate(name, elapsedMs) }]),
    )
    this.#samples.push({ at, archivers })
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift()
    this.#rows.clear()
    this.#sampledAtMs = nowMs
  }

  #rate(archiver: string, elapsedMs: number): number {
    return Math.round(((this.#rows.get(archiver) ?? 0) / elapsedMs) * 10_000) / 10
  }
}

/** How far each archiver is behind, as a sample has it. */
export function lagsOf(archivers: readonly ArchiverState[]) {
  const lagOf = ({ rows, ms }: ArchiverState['lag']) => ({ lagRows: rows === null ? null : Number(rows), lagMs: ms })
  return Object.fromEntries(archivers.map(({ archiver, lag }) => [archiver, lagOf(lag)]))
}
