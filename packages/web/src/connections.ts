import type { Socket } from 'node:net'

/**
 * The open connections, of which there are never more than `limit`. A newcomer takes the place of the one that has waited
 * longest without asking anything, then of the one that has taken longest over its answer: a thousand slow clients do not
 * keep an honest one out. Only live pages, of which there are fewer, are not sent away.
 */
export class Connections {
  private readonly limit: number
  private readonly onDropped: (socket: Socket) => void
  /** Each in the order in which they came there. */
  private readonly waiting = new Set<Socket>()
  private readonly answering = new Set<Socket>()
  private readonly kept = new Set<Socket>()

  constructor(limit: number, onDropped: (socket: Socket) => void) {
    this.limit = limit
    this.onDropped = onDropped
  }

  get size(): number {
    return this.waiting.size + this.answering.size + this.kept.size
  }

  admit(socket: Socket): void {
    if (this.size >= this.limit) this.makeRoomFor(socket)
    if (socket.destroyed) return
    this.waiting.add(socket)
    socket.once('close', () => this.forget(socket))
  }

  /** A whole request has come. */
  asked(socket: Socket): void {
    if (this.waiting.delete(socket)) this.answering.add(socket)
  }

  /** It belongs to a live page now. */
  keep(socket: Socket): void {
    if (this.answering.delete(socket)) this.kept.add(socket)
  }

  answered(socket: Socket): void {
    if (this.answering.delete(socket)) this.waiting.add(socket)
  }

  private makeRoomFor(newcomer: Socket): void {
    const [victim = newcomer] = [...this.waiting, ...this.answering]
    this.onDropped(victim)
    this.forget(victim)
    victim.destroy()
  }

  private forget(socket: Socket): void {
    this.waiting.delete(socket)
    this.answering.delete(socket)
    this.kept.delete(socket)
  }
}
