/** How figures and times are written for people: on the page, and by `archiver status`. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** A whole number with commas. Ids of 64 bits come as text, and stay exact. */
export function count(value: number | string): string {
  return whole.format(typeof value === 'string' ? BigInt(value) : value)
}

/** `1 row`, `2,304 rows`. */
export function rows(value: number | string): string {
  return `${count(value)} ${Number(value) === 1 ? 'row' : 'rows'}`
}

/** A rate: small ones with a decimal. */
export function perSecond(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : count(value)
}

/** `0.2 s`, `42 s`, `12 min`, `7 h 4 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1000)} s`
  if (ms < 10 * MINUTE_MS) return two(ms, MINUTE_MS, 'min', 1000, 's')
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  if (ms < 2 * DAY_MS) return two(ms, HOUR_MS, 'h', MINUTE_MS, 'min')
  return two(ms, DAY_MS, 'd', HOUR_MS, 'h')
}

/** A duration in round figures: `40 min`, `4 h`, `3.5 h`. */
export function roughly(ms: number): string {
  return ms < HOUR_MS * 0.95 ? `${Math.round(ms / MINUTE_MS)} min` : `${Math.round((ms / HOUR_MS) * 2) / 2} h`
}

function two(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs)
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** `in 8 s`, `3 min ago`; `now` within a second. Whole seconds, since it is counted on while one looks. */
export function relative(iso: string, nowMs: number): string {
  const aheadMs = Date.parse(iso) - nowMs
  const awayMs = Math.floor(Math.abs(aheadMs) / 1000) * 1000
  if (awayMs < 1000) return 'now'
  const text = awayMs < MINUTE_MS ? `${awayMs / 1000} s` : duration(awayMs)
  return aheadMs > 0 ? `in ${text}` : `${text} ago`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The time in UTC, as logs have it; with the day, and without seconds, where that is another. */
export function clockTime(iso: string, nowMs: number): string {
  const day = iso.slice(0, 10)
  if (day === new Date(nowMs).toISOString().slice(0, 10)) return iso.slice(11, 19)
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(11, 16)}`
}

/** Both: `3 min ago, 14:02:11`. */
export function when(iso: string, nowMs: number): string {
  return `${relative(iso, nowMs)}, ${clockTime(iso, nowMs)}`
}

/** `512 B`, `1.2 MB`. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [size, unit] = [value, 0]
  while (size >= 999.5 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1]
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

/** `a`, `a and b`, `a, b and c`. */
export function list(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
