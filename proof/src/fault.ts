import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultPoint } from '@archiver/core'

/** What goes wrong at a fault point, and at which pass through it (1 for the first). */
export interface Fault {
  readonly point: FaultPoint
  readonly pass: number
  /** End the process at once · stop it where it is (SIGSTOP) · wait until the test lets it go on. */
  readonly action: 'kill' | 'stop' | 'wait'
  /** For `wait`: a file `FILE.here` is made when the point is reached, and `FILE.go` is waited for. */
  readonly file?: string
}

/** The form of the environment variable PROOF_FAULT: `commit.before:2:kill`, `file.synced:1:wait:/tmp/x`. */
export function faultText({ point, pass, action, file }: Fault): string {
  return [point, pass, action, ...(file === undefined ? [] : [file])].join(':')
}

/** @throws for a text that {@link faultText} did not make. */
export function parseFault(text: string): Fault {
  const [, point, pass, action, file] = /^([a-z.-]+):(\d+):(kill|stop|wait)(?::(.+))?$/.exec(text) ?? []
  if (point === undefined) throw new Error(`PROOF_FAULT=${text} is no fault`)
  // The expression allows these actions only; a point that does not exist is never reached, which the tests notice.
  const fault = { point: point as FaultPoint, pass: Number(pass), action: action as Fault['action'] }
  return file === undefined ? fault : { ...fault, file }
}

/** Leaves a hook for `faultPoint` of @archiver/core in this process, or in this worker. */
export function hookFaults(hook: (point: FaultPoint) => void | Promise<void>): void {
  Object.assign(globalThis, { [Symbol.for('@archiver/fault')]: hook })
}

/** Lets one fault strike this process. */
export function armFault(fault: Fault): void {
  let passes = 0
  hookFaults(async (point) => {
    if (point === fault.point && ++passes === fault.pass) await strike(fault)
  })
}

async function strike({ action, file }: Fault): Promise<void> {
  if (action === 'kill') process.kill(process.pid, 'SIGKILL')
  if (action === 'stop') process.kill(process.pid, 'SIGSTOP')
  if (action !== 'wait') return
  writeFileSync(`${file}.here`, '')
  while (!existsSync(`${file}.go`)) await delay(5)
}
