import { globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** A page of the repository. */
export interface Page {
  /** From the root. */
  readonly path: string
  readonly text: string
}

/** What no git tracks: installed, built, or written by the program. */
const notSources = new Set(['node_modules', 'dist', 'bundle', 'test-results', 'dist-linux', 'demo-data', 'keys'])

/** Files of the sources that match, by their paths from the root. Git need not be there. */
export function sourceFiles(...patterns: readonly string[]): string[] {
  const exclude = (path: string) => path.startsWith('.') || notSources.has(basename(path))
  return globSync(patterns, { cwd: root, exclude }).sort()
}

/** Every Markdown file of the sources. */
export function allPages(): Page[] {
  return sourceFiles('**/*.md').map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** What is left without blocks and spans of code. */
export function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The anchors that its headings make, as GitHub and VitePress agree on for plain words. */
export function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ (.*)$/gm)
  return new Set([...headings].map(([, heading]) => slug(heading!)))
}

function slug(heading: string): string {
  const words = heading.toLowerCase().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return words
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-')
}

/** The shell commands of a page, one a line, without comments and line breaks. */
export function shellCommands(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, block]) => block!)
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n/g, ' ').split('\n'))
  return lines.map((line) => line.replace(/(^|\s)#.*$/, '').trim()).filter((line) => line !== '')
}
