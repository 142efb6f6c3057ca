/** What an archive file is called: the time and the id of its first row. */
export function fileNameOf(first: { readonly id: bigint; readonly tsSeconds: number }): string {
  return `${first.tsSeconds}-${first.id}.avro`
}

/** The first row's id in an archive file's name (without folders); undefined for any other name. */
export function firstIdOf(fileName: string): bigint | undefined {
  const id = /^\d+-(\d+)\.avro$/.exec(fileName)?.[1]
  return id === undefined ? undefined : BigInt(id)
}

/** When the first row was measured, in seconds, by an archive file's name (without folders); undefined for any other name. */
export function firstSecondsOf(fileName: string): number | undefined {
  const seconds = /^(\d+)-\d+\.avro$/.exec(fileName)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
