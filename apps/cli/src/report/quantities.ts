const BAR_WIDTH = 24

/** How far something is, for {@link barText}. */
export interface Advance {
  readonly name: string
  /** 0 to 1. */
  readonly part: number
  readonly rows: number
  readonly elapsedMs: number
}

/** A bar with what is done of how much, how fast, and how long it will take. */
export function barText({ name, part, rows, elapsedMs }: Advance): string {
  const filled = Math.round(part * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  const left = seconds((elapsedMs / part) * (1 - part))
  return `${name} ${bar} ${Math.floor(part * 100)}%  ${count(rows)} rows  ${rate(rows, elapsedMs)}  ${left} left`
}

/** Whole numbers with commas. */
export function count(rows: number): string {
  return rows.toLocaleString('en-US')
}

export function rate(rows: number, elapsedMs: number): string {
  return `${count(Math.round((rows / elapsedMs) * 1000))} rows/s`
}

export function seconds(ms: number): string {
  const s = ms / 1000
  return s < 100 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
