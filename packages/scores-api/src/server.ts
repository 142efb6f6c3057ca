import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ArchiverError, errorText } from '@archiver/core'
import type { ScoresHandler } from './handler.js'

export interface Listen {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

/** A server that answers with scores and nothing else. */
export interface ScoresServer extends AsyncDisposable {
  readonly url: string
}

/** A slow reader may take so long; then its connection ends. */
const closeMs = 5_000

/** Listens. @throws ArchiverError (`HTTP_PORT_TAKEN`, `HTTP_LISTEN_BAD`) where the address cannot be had. */
export async function startScoresServer(handler: ScoresHandler, { host, port }: Listen): Promise<ScoresServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    void handler(request, response).then((answered) => {
      if (!answered) response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here: see /api/scores\n')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(host, port, error)))
    server.listen(port, host, resolve)
  })
  const { port: taken } = server.address() as AddressInfo // of a server that listens on a port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** Answers what was asked, for a while. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => server.closeAllConnections(), closeMs)
  await closed
  clearTimeout(timer)
}

function listenError(host: string, port: number, error: unknown): ArchiverError {
  return new ArchiverError(`cannot listen on ${host}:${port}: ${errorText(error)}`, {
    code: isTaken(error) ? 'HTTP_PORT_TAKEN' : 'HTTP_LISTEN_BAD',
    hint: 'Name another address with --listen.',
    cause: error,
  })
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
