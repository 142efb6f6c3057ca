import { readFileSync } from 'node:fs'

declare global {
  /** What `git describe` said when the executable was built; absent in a checkout and in the npm package. */
  var ARCHIVER_BUILD: string | undefined
}

/** Of this program: that of the build, else that of its package.json. */
export function version(): string {
  if (typeof ARCHIVER_BUILD === 'string') return ARCHIVER_BUILD
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}
