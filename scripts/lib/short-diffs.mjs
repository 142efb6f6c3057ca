/** Lines of a difference that are shown; it begins with the first that differs. */
const mostLines = 60

/** A reporter of vitest that shortens the difference of a comparison that failed, before another one prints it. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export
export default class ShortDiffs {
  onTestCaseResult(test) {
    for (const error of test.result().errors ?? []) error.diff &&= shortened(error.diff)
  }
}

function shortened(diff) {
  const lines = diff.split('\n')
  if (lines.length <= mostLines) return diff
  return [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more lines`].join('\n')
}
