import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { withServerFolders } from '@archiver/testkit/tools'
import { layLibraries } from './scratch-root.js'

/** An instruction of the Dockerfile, its lines put together. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

const dockerfile = readFileSync(resolve(import.meta.dirname, '../Dockerfile'), 'utf8')

/** The Dockerfile's instructions: all of them, those of the stage that builds, and those of the image. */
export const all = instructions(dockerfile)
const second = all.findLastIndex(({ name }) => name === 'FROM')
export const build = all.slice(0, second)
export const final = all.slice(second)

/** Comments are left out. */
function instructions(text: string): Instruction[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name, ...rest] = line.split(' ')
      return { name: name!, text: rest.join(' ') }
    })
}

export function texts(stage: readonly Instruction[], wanted: string): string[] {
  return stage.filter(({ name }) => name === wanted).map(({ text }) => text)
}

/** The image's own variables. */
export const imageEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  texts(final, 'ENV').flatMap((text) => text.split(/\s+/).map((pair) => pair.split('=') as [string, string])),
)

/** Paths of the build become paths in this folder; the architecture is this machine's. */
export function inFolder(folder: string, text: string, version: string): string {
  return text
    .replaceAll(/(?<![\w.])\/(src|out)\b/g, `${folder}/$1`)
    .replaceAll('$TARGETARCH', process.arch)
    .replaceAll('$VERSION', version)
}

/** Does the image's COPY instructions: what was built into `<folder>/out` becomes the image `<folder>/image`. @returns its path */
export function layImage(folder: string): string {
  const image = join(folder, 'image')
  for (const copy of texts(final, 'COPY')) {
    const [from, to] = copy.split(' ').filter((word) => !word.startsWith('--')) as [string, string]
    mkdirSync(join(image, to, '..'), { recursive: true })
    // Links stay links, and modes are kept, as in an image; of a folder its content is copied.
    const source = inFolder(folder, from, '')
    execFileSync('cp', ['-a', source.endsWith('/') ? `${source}.` : source, join(image, to)])
  }
  layLibraries(image, join(image, 'usr/local/bin/archiver'))
  return image
}

/** The image of a program that was built before: only the steps that lay out its folders are run. @returns its path */
export function imageAround(folder: string, buildInto: (path: string) => void): string {
  mkdirSync(join(folder, 'out'), { recursive: true })
  buildInto(join(folder, 'out/archiver'))
  const [layout] = texts(build, 'RUN').slice(-1)
  execFileSync('sh', ['-ec', inFolder(folder, layout!, '')])
  return layImage(folder)
}

/** The words that run a command in the image, as that user, with these variables alone. Only root can. */
export function commandAs(
  image: string,
  {
    userId,
    env,
    command,
  }: { readonly userId: number; readonly env: Readonly<Record<string, string>>; readonly command: readonly string[] },
): string[] {
  const find = (program: string) =>
    execFileSync('which', [program], { encoding: 'utf8', env: withServerFolders(process.env) }).trim()
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return [find('env'), '-i', ...assignments, find('chroot'), `--userspec=${userId}:${userId}`, image, ...command]
}
