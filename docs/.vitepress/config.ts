import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'

const docs = join(import.meta.dirname, '..')
/** Where links go that lead out of docs/ (`https://…/blob/main/`). Without it they are text. */
const repository = process.env.DOCS_REPOSITORY_URL

const pages = (folder: string) =>
  readdirSync(join(docs, folder))
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .map((name) => ({ text: name.slice(0, -3), link: `/${folder}/${name.slice(0, -3)}` }))

export default defineConfig({
  title: 'NTP Pool archiver',
  description: 'Copies every measurement of the NTP Pool from MySQL into its archives, exactly once',
  cleanUrls: true,
  lastUpdated: false,
  srcExclude: ['test/**'],
  // Links to files of the repository outside of docs/; a test follows those.
  ignoreDeadLinks: [/^(\.\/)?\.\.\//, /\/(packages|apps|deploy|bench|proof)\//],
  markdown: {
    config(md) {
      const open = md.renderer.rules.link_open
      md.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const href = tokens[index]?.attrGet('href') ?? ''
        const outside = outsideOf(href, (env as { relativePath?: string }).relativePath ?? '')
        if (outside === undefined)
          return open?.(tokens, index, options, env, self) ?? self.renderToken(tokens, index, options)
        if (repository === undefined) tokens[index]?.attrs?.splice(0)
        else tokens[index]?.attrSet('href', repository + outside)
        return self.renderToken(tokens, index, options)
      }
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Running it',
        items: [
          { text: 'Tables and grants', link: '/init' },
          { text: 'Configuration', link: '/configuration' },
          { text: 'Moving from the Go archiver', link: '/moving-from-go' },
          { text: 'Deployment', link: '/deployment' },
          { text: 'The service', link: '/service' },
          { text: 'Cleanup', link: '/cleanup' },
          { text: 'Deleted servers', link: '/deleted-servers' },
          { text: 'Verify', link: '/verify' },
          { text: 'Restore', link: '/restore' },
          { text: 'Read', link: '/read' },
          { text: 'Scores over HTTP', link: '/scores-api' },
          { text: 'Status and health', link: '/status' },
          { text: 'Metrics', link: '/metrics' },
          { text: 'Architecture', link: '/architecture' },
        ],
      },
      { text: 'Archives', items: pages('archives') },
      { text: 'Runbook', link: '/runbook/', collapsed: true, items: pages('runbook') },
      { text: 'Alerts', collapsed: true, items: pages('runbook/alerts') },
    ],
  },
})

/** The path within the repository of a link that leaves docs/; undefined for any other. */
function outsideOf(href: string, page: string): string | undefined {
  if (/^([a-z]+:|#|\/)/.test(href)) return undefined
  const path = join('docs', page, '..', href)
  return path.startsWith('docs/') ? undefined : path
}
