import { runCommand } from './executables.js'

/** In a process of its own, as only the command line of Node turns on the proxy that the environment names. */
const program = `
  import { createWriteStream } from 'node:fs'
  import { pipeline } from 'node:stream/promises'
  const [address, file] = process.argv.slice(1)
  const url = new URL(address)
  const login = [url.username, url.password].map(decodeURIComponent).join(':')
  const headers = url.username === '' ? {} : { authorization: 'Basic ' + Buffer.from(login).toString('base64') }
  url.username = url.password = ''
  try {
    const response = await fetch(url, { headers })
    if (!response.ok) throw new Error('HTTP ' + response.status)
    await pipeline(response.body, createWriteStream(file))
  } catch (error) {
    console.error(url + ': ' + (error.cause?.message ?? error.message))
    process.exit(1)
  }`

/**
 * Downloads an `http` or `https` address into a file, through the proxy that `HTTPS_PROXY` and its like name. A user and
 * a password in the address are sent, and are in no message.
 *
 * @throws Error that names the address, and says why.
 */
export async function download(url: string, file: string): Promise<void> {
  await runCommand(process.execPath, ['--use-env-proxy', '--input-type=module', '--eval', program, url, file])
}
