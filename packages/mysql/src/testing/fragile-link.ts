import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy to a port of this machine whose connections can fall silent. */
export class FragileLink implements AsyncDisposable {
  readonly port: number
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  private constructor(listener: Server) {
    this.#listener = listener
    this.port = (listener.address() as AddressInfo).port // a listening TCP server has one
  }

  static async to(targetPort: number): Promise<FragileLink> {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const link = new FragileLink(listener)
    listener.on('connection', (client) => link.#join(client, connect(targetPort, '127.0.0.1')))
    return link
  }

  /** Nothing is forwarded any more on the connections that there are, and neither end is told. New ones work. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#listener, 'close')
  }

  #join(client: Socket, server: Socket): void {
    client.pipe(server)
    server.pipe(client)
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    }
  }
}
