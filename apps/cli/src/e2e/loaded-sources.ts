import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Workplace } from './workplace.js'

/** The source files that a run of the bundled program loads, by the bundle's source maps. */
export async function loadedSources(place: Workplace, ...args: readonly string[]): Promise<string[]> {
  const preload = new URL('./print-loaded.mjs', import.meta.url).href
  place.env.NODE_OPTIONS = `--import=${preload}`
  const { stderr } = await place.run(...args)
  const files = [...stderr.matchAll(/^loaded (file:.*\/bundle\/.+\.js)$/gm)]
    .map(([, url]) => fileURLToPath(url!))
    // The bundler's own few lines have no map.
    .filter((file) => existsSync(`${file}.map`))
  const maps = await Promise.all(files.map((file) => readFile(`${file}.map`, 'utf8')))
  return maps.flatMap((map) => (JSON.parse(map) as { readonly sources: readonly string[] }).sources) // as bundlers write it
}
