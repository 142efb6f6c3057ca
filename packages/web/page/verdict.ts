import type { Health, ServiceStatus } from '@archiver/service'
import { byId, setData, setText, svg } from './dom.js'
import { list, when } from './format.js'

/** A shape for each, so that colour is not needed to tell them apart. */
const SIGNS: Readonly<Record<Health, string>> = {
  ok: 'M6 17l7 7 13-16',
  late: 'M16 6v11l7 5',
  failing: 'M8 8l16 16M24 8L8 24',
}

/** The one thing to see from across a room: is all well, and if not, what is wrong. */
export class Verdict {
  private readonly box = byId('verdict')
  private readonly title = byId('verdict-title')
  private readonly summary = byId('verdict-summary')
  private readonly sign = svg('path', { d: SIGNS.ok })

  constructor() {
    byId('verdict-sign').append(svg('svg', { viewBox: '0 0 32 32' }, this.sign))
  }

  update(status: ServiceStatus, nowMs: number): void {
    setData(this.box, 'health', status.health)
    this.sign.setAttribute('d', SIGNS[status.health])
    const title = titleOf(status)
    setText(this.title, title)
    setText(this.summary, summaryOf(status, nowMs))
    document.title = `${title} · ${status.database}`
  }
}

function titleOf({ mysql, archivers, cleanup, health }: ServiceStatus): string {
  if (!mysql.reachable) return 'MySQL is out of reach'
  const all = cleanup === null ? archivers : [...archivers, { archiver: 'cleanup', health: cleanup.health }]
  const being = (which: Health) => all.filter((one) => one.health === which).map(({ archiver }) => archiver)
  const [failing, late] = [being('failing'), being('late')]
  const parts = [sentence(failing, 'failing'), sentence(late, 'late')].filter((part) => part !== '')
  if (parts.length > 0) return parts.join('; ')
  if (health !== 'ok') return `The service is ${health}`
  if (archivers.length === 0) return 'No archive is turned on'
  return archivers.length === 1 ? 'The archive is up to date' : `All ${archivers.length} archives are up to date`
}

function sentence(names: readonly string[], what: string): string {
  return names.length === 0 ? '' : `${list(names)} ${names.length === 1 ? 'is' : 'are'} ${what}`
}

function summaryOf({ service, host, at, table, database }: ServiceStatus, nowMs: number): string {
  const of = `${database}.${table}`
  const asOf = `as of ${when(at, nowMs)} UTC`
  switch (service?.role) {
    case 'leader':
      return `${of}, archived by ${host}, ${asOf}`
    case 'standby':
      return `${host} stands by for ${of}; ${service.lock.holder ?? 'nobody'} has the lock; ${asOf}`
    case undefined:
      return `${of}, ${asOf}`
    default:
      return `${host} is ${service?.role}; ${of}, ${asOf}`
  }
}
