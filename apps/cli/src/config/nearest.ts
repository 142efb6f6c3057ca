/**
 * The known name a mistyped one most likely stands for, compared without regard to case.
 *
 * @returns undefined where nothing is near: more than a quarter of the letters (at least two) would have to change.
 */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Math.max(2, Math.floor(typed.length / 4)) + 1
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase())
    if (distance < least) [nearest, least] = [name, distance]
  }
  return nearest
}

/** Levenshtein's: insertions, deletions and replacements of one letter. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const above = row
    row = [line]
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1)
      row.push(Math.min(replaced, above[column]! + 1, row[column - 1]! + 1))
    }
  }
  return row[to.length]!
}
