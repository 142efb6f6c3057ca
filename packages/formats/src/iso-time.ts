import { DAY_SECONDS } from '@archiver/core'

let lastDay = -1
let lastDate = ''

/** `2026-11-01T06:30:15Z`. Seconds since 1970-01-01 UTC. */
export function isoSeconds(seconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 11)
    lastDay = day
  }
  const rest = seconds - day * DAY_SECONDS
  const minutes = Math.floor(rest / 60)
  return `${lastDate}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(rest % 60)}Z`
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`
}
