import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { configurationPage, renewTable } from './documentation.js'

// From dist/config, where this runs, to the root of the repository.
const root = new URL('../../../../', import.meta.url)
const readme = new URL('README.md', root)

writeFileSync(new URL('docs/configuration.md', root), configurationPage())
if (existsSync(readme)) writeFileSync(readme, renewTable(readFileSync(readme, 'utf8')))
