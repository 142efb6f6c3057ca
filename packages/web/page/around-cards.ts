import type { CleanupState, MySqlState, NewestRow, ServiceState, ServiceStatus } from '@archiver/service'
import { el, setData, setText, show } from './dom.js'
import { Facts } from './facts.js'
import { count, rows, when } from './format.js'
import { shownHealth } from './headline.js'
import { Trouble, type Wrong } from './trouble.js'

/** More are counted only. */
const MAX_WARNINGS = 8

/** A small card: cleanup, MySQL, the service itself. */
class SmallCard {
  readonly element: HTMLElement
  private readonly badge = el('p', { class: 'badge' })
  private readonly trouble = new Trouble('failing')
  readonly facts = new Facts()

  constructor(name: string) {
    const header = el('header', {}, el('h3', {}, name), this.badge)
    const attributes = { class: 'card', 'data-card': name, 'aria-label': name }
    this.element = el('article', attributes, header, this.trouble.element, this.facts.element)
  }

  set(health: string, badge: string, wrong: Wrong | null): void {
    setData(this.element, 'health', health)
    setText(this.badge, badge)
    this.trouble.set(wrong)
  }
}

/** What stands around the archives. */
export class AroundCards {
  private readonly cleanup = new SmallCard('Cleanup')
  private readonly mysql = new SmallCard('MySQL')
  private readonly service = new SmallCard('Service')
  private readonly table = new SmallCard('Table')

  constructor(place: HTMLElement) {
    place.append(this.cleanup.element, this.mysql.element, this.service.element, this.table.element)
  }

  update({ cleanup, mysql, newest, service, host, warnings }: ServiceStatus, nowMs: number): void {
    showCleanup(this.cleanup, cleanup, mysql, nowMs)
    showMySql(this.mysql, mysql, newest, nowMs)
    showService(this.service, service, { host, mysql }, nowMs)
    showTable(this.table, warnings)
  }
}

function showCleanup(card: SmallCard, cleanup: CleanupState | null, mysql: MySqlState, nowMs: number): void {
  if (cleanup === null) {
    // Until MySQL has answered nobody knows what is turned on.
    card.set('off', mysql.answeredAt === null ? 'unknown' : 'not turned on', null)
    card.facts.clear()
    return
  }
  const { health, state, blocked, error } = cleanup
  const failed = error && { ...error, title: `${error.code} · ${when(error.at, nowMs)}` }
  const held = blocked && { title: `blocked: ${blocked.reason}`, message: blocked.why, hint: blocked.hint }
  card.set(
    shownHealth(health, state, mysql.reachable),
    health === 'ok' || health === state ? state : `${health}, ${state}`,
    failed ?? held,
  )
  card.facts.set('Last run', cleanup.lastRunAt && when(cleanup.lastRunAt, nowMs))
  card.facts.set('Deleted then', cleanup.deletedRows === null ? null : rows(cleanup.deletedRows))
  const kept = cleanup.keptRows?.map((one) => `${rows(one.rows)} for ${one.table}`).join(', ')
  card.facts.set('Kept', kept || null)
  card.facts.set('Next run', cleanup.nextRunAt && when(cleanup.nextRunAt, nowMs))
  card.facts.set('Oldest row', cleanup.oldestTs && when(cleanup.oldestTs, nowMs))
}

/** The first warning in full, the others by their messages; no card where there is none. */
function showTable(card: SmallCard, warnings: ServiceStatus['warnings']): void {
  const [first, ...others] = warnings
  show(card.element, first !== undefined)
  if (first === undefined) return
  card.set('late', warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`, { ...first, title: first.code })
  card.facts.clear()
  for (const [i, { message }] of others.slice(0, MAX_WARNINGS).entries()) card.facts.set(`Warning ${i + 2}`, message)
}

function showMySql(card: SmallCard, mysql: MySqlState, newest: NewestRow | null, nowMs: number): void {
  const { reachable, answeredAt, error, nextTryAt, pool } = mysql
  const wrong = error && { ...error, title: `${error.code} · ${when(error.at, nowMs)}` }
  const isKnown = answeredAt !== null || error !== null
  if (!isKnown) card.set('unknown', 'not asked yet', null)
  else card.set(reachable ? 'ok' : 'failing', reachable ? 'answers' : 'out of reach', wrong)
  card.facts.set('Last answer', answeredAt && when(answeredAt, nowMs))
  card.facts.set('Next try', nextTryAt && when(nextTryAt, nowMs))
  card.facts.set('Newest row', newest && `id ${count(newest.id)}`)
  card.facts.set('Measured', newest?.ts ? when(newest.ts, nowMs) : null)
  const open = pool && `${count(pool.open)} open, ${count(pool.idle)} idle, ${count(pool.waiting)} waited for`
  card.facts.set('Connections', open)
}

function showService(
  card: SmallCard,
  service: ServiceState | null,
  { host, mysql }: Pick<ServiceStatus, 'host' | 'mysql'>,
  nowMs: number,
): void {
  if (service === null) {
    card.set('off', 'none answers', null)
    card.facts.clear()
    return
  }
  const { role, since, lock, startedAt, reload, pid, lostLogLines } = service
  const refused = reload !== null && !reload.taken
  const wrong = refused ? { title: 'New settings refused; the old ones hold', message: reload.text, hint: null } : null
  card.set(refused ? 'late' : role === 'leader' ? 'ok' : 'unknown', role, wrong)
  card.facts.set('Since', when(since, nowMs))
  const holder = mysql.reachable ? (lock.holder ?? 'nobody that it knows of') : null
  card.facts.set('Lock', holder === null ? `${lock.name}; its holder is not known` : `${lock.name}, held by ${holder}`)
  card.facts.set('Host', `${host}, process ${pid}`)
  card.facts.set('Started', when(startedAt, nowMs))
  card.facts.set('Lost log lines', lostLogLines > 0 ? count(lostLogLines) : null)
  card.facts.set('Settings', reload?.taken ? `changed ${when(reload.at, nowMs)}` : null)
}
