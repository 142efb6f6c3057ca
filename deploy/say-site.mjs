// After the build of the documentation's site: where it is, and how to look at it.
import { resolve } from 'node:path'

console.log(`The site is in ${resolve(import.meta.dirname, '../docs/.vitepress/dist')}; npm run docs:preview shows it.`)
