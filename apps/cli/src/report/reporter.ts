import { readFileSync } from 'node:fs'
import type { CleanupEvent } from '@archiver/cleanup'
import type { OnEvent, PassResult } from '@archiver/core/engine'

/** How a pass ended, for the last line. */
export interface PassSummary extends PassResult {
  readonly elapsedMs: number
}

/** Tells a person or a log what a pass does. */
export interface Reporter {
  readonly onEvent: OnEvent
  onCleanup(event: CleanupEvent, table: string): void
  passDone(summary: PassSummary): void
  /** Something to look at that stops nothing. */
  warn(text: string): void
  /** An error that ended the command. */
  failed(error: unknown): void
}

/** The most memory the process has held so far, in bytes, as the kernel counts it. */
export function peakRssBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  } catch {
    // Only Linux has /proc. Elsewhere what getrusage() tells must do: it counts the parent's memory at the fork too.
  }
  return process.resourceUsage().maxRSS * 1024
}
