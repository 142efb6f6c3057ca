import type { Connection } from 'mysql2'
import { askRows } from '../ask-rows.js'

/** Status values of the server, by name in lower case. */
export type ServerStatus = ReadonlyMap<string, string>

const QUESTION =
  "show global status where variable_name in ('Threads_running', 'wsrep_flow_control_paused_ns', " +
  "'wsrep_flow_control_paused')"

export async function readStatus(connection: Connection): Promise<ServerStatus> {
  const rows = await askRows(connection, QUESTION)
  return new Map(rows.map(({ Variable_name: name, Value: value }) => [String(name).toLowerCase(), String(value)]))
}

/** The share of time that Galera held its writers back, 0 to 1, from one look to the next. */
export class FlowControl {
  private last: { readonly pausedNs: number; readonly atMs: number } | undefined

  /**
   * The counter of nanoseconds tells what went on since the last look. The first look has only the server's own share,
   * an average since FLUSH STATUS, to go by. 0 where the server is no Galera node.
   */
  share(status: ServerStatus, nowMs: number): number {
    const paused = status.get('wsrep_flow_control_paused_ns')
    if (paused === undefined) return Number(status.get('wsrep_flow_control_paused') ?? 0)
    const { last } = this
    this.last = { pausedNs: Number(paused), atMs: nowMs }
    if (last === undefined) return Number(status.get('wsrep_flow_control_paused') ?? 0)
    const elapsedNs = (nowMs - last.atMs) * 1e6
    return elapsedNs > 0 ? Math.min(1, Math.max(0, Number(paused) - last.pausedNs) / elapsedNs) : 0
  }
}
