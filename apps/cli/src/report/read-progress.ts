import type { LogScoreChunk } from '@archiver/core'
import { type StandardStream, standardError } from '../standard-streams.js'
import { count, rate, seconds } from './quantities.js'

const REDRAW_INTERVAL_MS = 100

/** How far a read is: a line on standard error, if that is a terminal and the rows go elsewhere. */
export class ReadProgress implements Disposable {
  private readonly archive: string
  private readonly terminal: Pick<StandardStream, 'write'> | undefined
  private readonly startedMs = performance.now()
  rows = 0
  private drawnMs = 0

  constructor(archive: string, writesFile: boolean) {
    this.archive = archive
    const isFree = process.stderr.isTTY && (writesFile || !process.stdout.isTTY)
    this.terminal = isFree ? standardError : undefined
  }

  add({ rows, tsSeconds }: LogScoreChunk): void {
    this.rows += rows
    const nowMs = performance.now()
    if (this.terminal === undefined || nowMs - this.drawnMs < REDRAW_INTERVAL_MS) return
    this.drawnMs = nowMs
    const time = new Date(tsSeconds[rows - 1]! * 1000).toISOString().slice(0, 16)
    this.terminal.write(`\r\x1b[K${this.text(nowMs)}, up to ${time}`)
  }

  done(): void {
    const nowMs = performance.now()
    this.terminal?.write(`\r\x1b[K${this.text(nowMs)}, ${seconds(nowMs - this.startedMs)}\n`)
    this.drawnMs = 0
  }

  /** Takes the line away that is not {@link done}. */
  [Symbol.dispose](): void {
    if (this.drawnMs > 0) this.terminal?.write('\r\x1b[K')
  }

  private text(nowMs: number): string {
    return `${this.archive}: ${count(this.rows)} rows, ${rate(this.rows, nowMs - this.startedMs)}`
  }
}
