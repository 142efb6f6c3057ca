import { highestPeak, type Run } from './runs.js'
import { median } from './statistics.js'

/** Medians over the rounds; of the memory the highest. */
export interface Result {
  readonly name: string
  readonly rate: number
  /** To the drains before and after it; 1 for the drain itself. */
  readonly ratio: number
  readonly wallMs: number
  readonly peakBytes: number | undefined
  readonly runs: readonly Run[]
}

export function resultOf(name: string, runs: readonly Run[], ratios: readonly number[]): Result {
  return {
    name,
    rate: median(runs.map(({ rate }) => rate)),
    ratio: median(ratios),
    wallMs: median(runs.map(({ wallMs }) => wallMs)),
    peakBytes: highestPeak(runs),
    runs,
  }
}
