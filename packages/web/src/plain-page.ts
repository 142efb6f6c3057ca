import type { ServiceStatus } from '@archiver/service'
import { when } from '../dist/page/format.js'
import { alarmsOf, behindOf, headlineOf, leaderHost, shownHealth } from '../dist/page/headline.js'

/** The status as HTML, for a browser that runs no scripts: the same words as the page's. It is as old as the page. */
export function plainStatus(status: ServiceStatus, nowMs: number): string {
  const { title, summary } = headlineOf(status, nowMs)
  const leader = leaderHost(status)
  return [
    `<h1>${escaped(title)}</h1><p>${escaped(summary)}</p>`,
    leader === null ? '' : `<p>The leader is on ${escaped(leader)}.</p>`,
    ...alarmsOf(status, nowMs).map(
      ({ name, code, lines }) => `<h2>${escaped(`${name}: ${code}`)}</h2><p>${lines.map(escaped).join('<br>')}</p>`,
    ),
    table(status, nowMs),
    '<p>Without JavaScript this page does not change: load it again. <a href="api/status">api/status</a> has the same as JSON.</p>',
  ].join('\n')
}

function table({ archivers, cleanup, mysql }: ServiceStatus, nowMs: number): string {
  const at = (iso: string | null): string => (iso === null ? '–' : when(iso, nowMs))
  const lines = archivers.map((one) => {
    const { text, sub } = behindOf(one, mysql.reachable, nowMs)
    const health = shownHealth(one.health, one.state, mysql.reachable)
    return [one.archiver, health, one.state, `${text}. ${sub}`, at(one.nextRunAt)]
  })
  if (cleanup !== null) {
    const health = shownHealth(cleanup.health, cleanup.state, mysql.reachable)
    lines.push(['cleanup', health, cleanup.state, '', at(cleanup.nextRunAt)])
  }
  if (lines.length === 0) return ''
  const head = ['Archive', 'Health', 'State', 'Behind', 'Next run'].map((name) => `<th scope="col">${name}</th>`)
  const rows = lines.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
  return `<table class="plain"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (found) => ENTITIES[found]!)
}
