const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const part = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y
const largestNs = 2n ** 63n - 1n

/**
 * Reads a duration as Go's time.ParseDuration does: `2m`, `1h30m`, `250ms`, `1.5h`, `-5s`, `0`.
 *
 * @returns milliseconds; a fraction where the text has one (`1us` is 0.001).
 * @throws SyntaxError for anything else, and beyond Go's range (about 292 years).
 */
export function parseDuration(text: string): number {
  const negative = text.startsWith('-')
  const magnitude = negative || text.startsWith('+') ? text.slice(1) : text
  const ns = magnitude === '0' ? 0n : sumParts(magnitude)
  if (ns > largestNs) throw new SyntaxError('is beyond the longest duration, 2562047h')
  const ms = Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6
  return negative && ms !== 0 ? -ms : ms
}

function sumParts(text: string): bigint {
  let sumNs = 0n
  let end = 0
  while (end < text.length || end === 0) {
    part.lastIndex = end
    const [matched = '', whole = '', fraction = '', unit = ''] = part.exec(text) ?? []
    if (whole === '' && fraction === '') throw new SyntaxError('is not a duration')
    const scale = 10n ** BigInt(fraction.length)
    sumNs += (BigInt(whole + fraction) * (unitNs[unit] ?? 0n)) / scale
    end += matched.length
  }
  return sumNs
}

/** Writes whole milliseconds, 0 or more, the way they are written in settings: `1h30m`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1_000
  const parts = [hours && `${hours}h`, minutes && `${minutes}m`, seconds && `${seconds}s`]
  return parts.filter(Boolean).join('') || '0s'
}
