import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

/** A TCP proxy that goes wrong when it is told to. What it holds back is never delivered later. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  /** Which way nothing goes any more. */
  #silent: 'no' | 'both' | 'answers' = 'no'

  private constructor(listener: Server, targetPort: number) {
    this.#listener = listener
    listener.on('connection', (client) => this.#join(client, targetPort))
  }

  /** In front of a port of this machine. */
  static async to(targetPort: number): Promise<TcpProxy> {
    const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(listener, 'listening')
    return new TcpProxy(listener, targetPort)
  }

  get port(): number {
    // A listening TCP server has one.
    return (this.#listener.address() as AddressInfo).port
  }

  /** Whether somebody asks and is not heard: bytes have come, or a connection, since {@link silence}. */
  get isAsked(): boolean {
    return this.#silent !== 'no' && [...this.#pairs].some(({ client }) => client.readableLength > 0)
  }

  /** Resets every connection; new ones are served. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** As when a cable is cut: the client is reset, the server is not told before {@link restore}. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      server.pause()
      client.resetAndDestroy()
    }
  }

  /** Nothing goes through, or no answers do, on old connections and new ones, until {@link restore}. */
  silence(which: 'both' | 'answers'): void {
    this.#silent = which
    for (const pair of this.#pairs) this.#pause(pair)
  }

  /** Drops whatever was held back, with its connections, and serves new ones. */
  restore(): void {
    const stalled = this.#silent !== 'no'
    this.#silent = 'no'
    for (const { client, server } of this.#pairs) {
      if (stalled) client.destroy()
      if (stalled || client.destroyed) server.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
    await once(this.#listener, 'close')
  }

  #join(client: Socket, port: number): void {
    const server = connect(port, '127.0.0.1')
    const pair = { client, server }
    this.#pairs.add(pair)
    client.pipe(server)
    server.pipe(client)
    client.on('error', () => undefined).on('close', () => server.isPaused() || server.destroy())
    server
      .on('error', () => undefined)
      .on('close', () => {
        client.destroy()
        this.#pairs.delete(pair)
      })
    if (this.#silent !== 'no') this.#pause(pair)
  }

  #pause({ client, server }: Pair): void {
    server.unpipe(client)
    server.pause()
    if (this.#silent !== 'both') return
    client.unpipe(server)
    client.pause()
  }
}
