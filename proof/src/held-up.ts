import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FaultPoint } from '@archiver/core'
import { Cli, type CliEnv, type CliResult, type Command } from './cli.js'

/** Runs the program; when it comes to a place something happens to it, and then it goes on. */
export async function runHeldUp(
  env: CliEnv,
  place: { readonly point: FaultPoint; readonly pass: number },
  happening: (cli: Cli) => void | Promise<void>,
  command: Command = {},
): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), 'archiver-held-up-'))
  const file = join(folder, 'point')
  const cli = new Cli(env, { ...place, action: 'wait', file }, command)
  let ended = false
  void cli.done.then(() => {
    ended = true
  })
  while (!existsSync(`${file}.here`) && !ended) await delay(5)
  await happening(cli)
  writeFileSync(`${file}.go`, '')
  const result = await cli.done
  await rm(folder, { recursive: true })
  return result
}
