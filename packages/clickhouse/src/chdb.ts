import { mkdir } from 'node:fs/promises'
import { ArchiverError, errorText } from '@archiver/core'
import type { ClickHouseClientConfigOptions } from '@clickhouse/client'
import type { ChdbConnection } from 'chdb/connection'

/**
 * Opens the engine on a folder, made where it is missing; its parent must exist. Without one it runs in memory.
 *
 * @throws ArchiverError `CHDB_MISSING`, `CHDB_FOLDER`
 */
export async function openChdb(path: string | undefined): Promise<ChdbConnection> {
  const createConnection = await importChdb()
  try {
    if (path === undefined) return createConnection()
    await mkdir(path).catch(unlessThere)
    return createConnection({ path })
  } catch (thrown) {
    throw new ArchiverError(
      `ch_dsn: cannot open the embedded ClickHouse in ${path ?? 'memory'}: ${errorText(thrown)}`,
      {
        code: 'CHDB_FOLDER',
        archiver: 'clickhouse',
        hint: 'The folder above it must exist and be writable, one process at a time may have it open, and a process only one such folder.',
        cause: thrown,
      },
    )
  }
}

/** chdb declares the interface of this very client, but against a copy of it. */
export function asConnection(connection: ChdbConnection): NonNullable<ClickHouseClientConfigOptions['connection']> {
  return connection as unknown as NonNullable<ClickHouseClientConfigOptions['connection']>
}

async function importChdb(): Promise<typeof import('chdb/connection').createChdbConnection> {
  try {
    return (await import('chdb/connection')).createChdbConnection
  } catch (thrown) {
    const why = errorText(thrown).split('\n', 1)[0]
    throw new ArchiverError(`ch_dsn asks for the embedded ClickHouse, and the package chdb is not there: ${why}`, {
      code: 'CHDB_MISSING',
      archiver: 'clickhouse',
      hint: 'npm install chdb (Linux or macOS), or name a server in ch_dsn.',
      cause: thrown,
    })
  }
}

function unlessThere(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EEXIST') throw thrown
}
