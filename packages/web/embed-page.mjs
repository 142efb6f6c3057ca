import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/**
 * Puts the page's files into a module, src/page-files.ts: they are served from memory, and the bundle of the command
 * line needs nothing beside itself. Run by `build`, after the page's own modules were compiled.
 */
const folders = { page: ['.html', '.css', '.svg'], 'dist/page': ['.js'] }

const files = Object.entries(folders).flatMap(([folder, kinds]) =>
  readdirSync(join(import.meta.dirname, folder))
    .filter((name) => kinds.includes(extname(name)))
    .sort()
    .map((name) => [name, readFileSync(join(import.meta.dirname, folder, name), 'utf8')]),
)

const entries = files.map(([name, text]) => `  ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`).join('')
const head = '// Made by embed-page.mjs from page/: change that.\n'
const text = `${head}export const pageFiles: Readonly<Record<string, string>> = {\n${entries}}\n`
writeFileSync(join(import.meta.dirname, 'src/page-files.ts'), text)
