import { createHash, randomUUID } from 'node:crypto'

/** What an archive file is called: the time and the id of its first row. */
export function fileNameOf(first: { readonly id: bigint; readonly tsSeconds: number }): string {
  return `${first.tsSeconds}-${first.id}.avro`
}

/** The first row's id in an archive file's name; undefined for any other name. */
export function firstIdOf(fileName: string): bigint | undefined {
  const id = /^\d+-(\d+)\.avro$/.exec(fileName)?.[1]
  return id === undefined ? undefined : BigInt(id)
}

/** What the names of all temporary files of one scope and table begin with. */
export function temporaryPrefix(scope: string, table: string): string {
  return `.archiver,${part(scope)},${part(table)},`
}

/**
 * A name that no process has used or will use. The same batch must not get the same name twice: a frozen process that
 * wakes up would otherwise publish what its successor is still writing.
 */
export function temporaryName(scope: string, table: string, batchId: bigint): string {
  return `${temporaryPrefix(scope, table)}${batchId},${randomUUID()}.tmp`
}

/** Without slash or comma, and short enough that the whole name stays below 255 bytes. */
function part(text: string): string {
  const encoded = encodeURIComponent(text)
  if (encoded.length <= 70) return encoded
  return `${encoded.slice(0, 50)}~${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
