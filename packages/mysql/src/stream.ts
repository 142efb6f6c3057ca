import type { Socket } from 'node:net'
import type { Connection } from 'mysql2'

/** The connection's socket. */
export function streamOf(connection: Connection): Socket {
  return (connection as Connection & { stream: Socket }).stream // the driver's types do not name the property
}
