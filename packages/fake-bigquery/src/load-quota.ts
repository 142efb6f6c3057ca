const dayMs = 24 * 60 * 60 * 1000

/** BigQuery's 1,500 load jobs a table a day, failed ones too. */
export class LoadQuota {
  perDay = 1500
  readonly #begunMs = new Map<string, number[]>()

  /** Counts one more. @returns whether it may run. */
  take(table: string): boolean {
    const now = performance.now()
    const recent = (this.#begunMs.get(table) ?? []).filter((ms) => ms > now - dayMs)
    this.#begunMs.set(table, recent)
    if (recent.length >= this.perDay) return false
    recent.push(now)
    return true
  }
}
