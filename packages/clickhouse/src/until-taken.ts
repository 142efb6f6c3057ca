import type { Agent } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'

/** Node reports that a socket is empty only where it was too full before. First the loop just turns. */
const [TURNS, POLL_MS] = [8, 1]

/**
 * Waits until the operating system has taken every byte of a body that is piped into a request.
 *
 * @param agent - of this request alone.
 */
export async function untilTaken(agent: Agent, body: Readable): Promise<void> {
  for (let turn = 0; !body.destroyed && isPending(agent, body); turn++) {
    await (turn < TURNS ? nextTurn() : delay(POLL_MS))
  }
}

function isPending({ sockets }: Agent, body: Readable): boolean {
  if (body.readableLength > 0 || body.readableFlowing === false) return true
  return Object.values(sockets).some((open = []) => open.some(hasBytes))
}

function hasBytes(socket: Socket): boolean {
  return socket.connecting || socket.writableLength > 0 || socket.writableCorked > 0
}
