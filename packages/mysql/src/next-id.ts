/** The options of a table follow its columns on a line of their own; texts of comments come after the option. */
const AUTO_INCREMENT = /^\) [^']*?\bAUTO_INCREMENT=(\d+)/im

/**
 * The next auto-increment value in the answer to SHOW CREATE TABLE; information_schema caches it. A table that has handed
 * out no id has no such option.
 */
export function nextIdOf(createTable: string): bigint {
  return BigInt(AUTO_INCREMENT.exec(createTable)?.[1] ?? 1)
}
