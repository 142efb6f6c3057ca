import type { Connection } from 'mysql2'

const lines = new WeakMap<Connection, ConnectionLine>()

/** Who waits for a connection, in the order in which they came. One has it at a time. */
export class ConnectionLine {
  private readonly waiting: (() => void)[] = []
  private taken = false

  /** The one line of this connection. */
  static of(connection: Connection): ConnectionLine {
    const line = lines.get(connection) ?? new ConnectionLine()
    lines.set(connection, line)
    return line
  }

  /** Calls `begin` once the connection is free; it stays taken until {@link leave}. */
  enter(begin: () => void): void {
    if (this.taken) this.waiting.push(begin)
    else {
      this.taken = true
      begin()
    }
  }

  /** Whoever has the connection is done with it. */
  leave(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.taken = false
    else next()
  }
}
