import type { Attributes } from '@archiver/core'

/** Columns that are written as numbers or times, in the order of their texts. */
export const textColumns = ['id', 'serverId', 'monitorId', 'ts', 'score', 'step', 'offset', 'rtt'] as const
export type TextColumn = (typeof textColumns)[number]

/** How a row is written as text. */
export interface RowForm {
  /** What stands before the first row. */
  readonly head: string
  /** What stands before the value of each column. */
  readonly before: Readonly<Record<TextColumn, string>>
  /** What stands for no value. */
  readonly null: string
  /** What stands for no monitor. */
  readonly noMonitor: string
  /** Whether ids beyond 2^53-1 are in quotes. */
  readonly quotesLargeIds: boolean
  ts(seconds: number): string
  /** NaN and infinities, which only a foreign program stores. */
  notFinite(value: number): string
  /** Everything behind `rtt`, with the end of the row. */
  tail(attributes: Attributes): string
}
