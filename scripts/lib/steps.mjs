import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const bin = join(root, 'node_modules/.bin')

/** The Node that the install brings; new enough whatever the machine's own is. */
export const projectNode = join(root, 'node_modules/node/bin/node')

/** With the project's own tools, and its Node, first on PATH. */
export const toolEnv = {
  ...process.env,
  PATH: `${bin}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: undefined }),
}

/** `pnpm@<version>` as package.json pins it. */
export function pinnedPnpm() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('+')[0]
}

/**
 * Runs a command in the root folder. With `show` its output goes to the terminal, otherwise it is only kept; with `heard`
 * it goes to the terminal and to that function.
 *
 * @returns {Promise<{ code: number, stdout: string, stderr: string, output: string }>} `code` is 127 where it cannot run
 */
export function run(command, args, { show = false, heard, cwd = root, env = toolEnv } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', ...(show ? ['inherit', 'inherit'] : ['pipe', 'pipe'])],
    })
    const texts = { stdout: '', stderr: '', output: '' }
    for (const name of ['stdout', 'stderr']) {
      child[name]?.setEncoding('utf8').on('data', (text) => {
        if (heard) {
          process[name].write(text)
          heard(text)
        }
        texts[name] += text
        texts.output += text
      })
    }
    child.on('error', (error) => resolve({ code: 127, ...texts, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, ...texts }))
  })
}

/**
 * Does one part of the work and prints a line about it: what it is, how it went, how long it took.
 *
 * @param {string} what in a few words
 * @param {() => Promise<{ ok: boolean, note?: string, output?: string }>} work `output` is printed when it failed
 * @returns {Promise<boolean>} whether it went well
 */
export async function step(what, work) {
  const start = performance.now()
  process.stdout.write(`${what} … `)
  const { ok, note, output } = await work()
  const took = `${((performance.now() - start) / 1000).toFixed(1)} s`
  console.log(`${ok ? '' : 'FAILED, '}${note ? `${note}, ` : ''}${took}`)
  if (!ok && output) console.log(output.trimEnd())
  return ok
}

/** A {@link step} that is one quiet command. */
export function commandStep(what, command, args) {
  return step(what, async () => {
    const { code, output } = await run(command, args)
    return { ok: code === 0, output }
  })
}
