import { fileNameOf, firstIdOf } from '@archiver/avro'

/** What the names of a table's objects begin with: nothing for the default table, as the Go program had it. */
export function prefixOf(table: string, defaultTable: string): string {
  return table === defaultTable ? '' : `${table}/`
}

/** `<UTC year of the first row>/<ts>-<id>.avro`, below the prefix of the table. */
export function objectNameOf(prefix: string, first: { readonly id: bigint; readonly tsSeconds: number }): string {
  return `${prefix}${new Date(first.tsSeconds * 1000).getUTCFullYear()}/${fileNameOf(first)}`
}

/** Whether this is one of the folders of a table, one for each year: the prefix and `2026/`. */
export function isYear(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) && /^\d{4}\/$/.test(folder.slice(prefix.length))
}

/** The id of the first row, from the name of an object in a year's folder; undefined for any other object. */
export function firstIdOfObject(name: string, folder: string): bigint | undefined {
  return name.startsWith(folder) ? firstIdOf(name.slice(folder.length)) : undefined
}
