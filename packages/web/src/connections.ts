import type { Socket } from 'node:net'

/**
 * The open connections, of which there are never more than `limit`. A newcomer takes the place of the one that has
 * waited longest without asking anything, so that a thousand slow clients do not keep an honest one out.
 */
export class Connections {
  private readonly limit: number
  private readonly onDropped: (socket: Socket) => void
  /** In the order in which they began to wait. */
  private readonly waiting = new Set<Socket>()
  private readonly answering = new Set<Socket>()

  constructor(limit: number, onDropped: (socket: Socket) => void) {
    this.limit = limit
    this.onDropped = onDropped
  }

  get size(): number {
    return this.waiting.size + this.answering.size
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

  answered(socket: Socket): void {
    if (this.answering.delete(socket)) this.waiting.add(socket)
  }

  private makeRoomFor(newcomer: Socket): void {
    const [longest = newcomer] = this.waiting
    this.onDropped(longest)
    this.forget(longest)
    longest.destroy()
  }

  private forget(socket: Socket): void {
    this.waiting.delete(socket)
    this.answering.delete(socket)
  }
}
