import type { ServiceStatus } from '@archiver/service'
import { byId, el, setData, setText, show, svg } from './dom.js'
import { alarmsOf, type Headline, headlineOf, leaderHost, type Shown, silentHeadline } from './headline.js'

/** A shape for each, so that colour is not needed to tell them apart. */
const SIGNS: Readonly<Record<Shown, string>> = {
  ok: 'M6 17l7 7 13-16',
  late: 'M16 6v11l7 5',
  failing: 'M8 8l16 16M24 8L8 24',
  unknown: 'M11 12a5 5 0 1 1 7 4.600c-1.500 1-2 1.800-2 3.900M16 25.500v.5',
}

/** At most so many failures in the banner; each has its card below. */
const MAX_ALARMS = 4

/** The one thing to see from across a room: is all well, and if not, what is wrong. Also the tab's title and icon. */
export class Verdict {
  private readonly box = byId('verdict')
  private readonly title = byId('verdict-title')
  private readonly summary = byId('verdict-summary')
  private readonly leader = byId('verdict-leader')
  private readonly alarms = byId('verdict-alarms')
  private readonly sign = svg('path', { d: SIGNS.unknown })
  private readonly icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  private shownAlarms = ''

  constructor() {
    byId('verdict-sign').append(svg('svg', { viewBox: '0 0 32 32' }, this.sign))
  }

  /** @param silentSince - when the service last answered, where it does not any more. */
  update(status: ServiceStatus, nowMs: number, silentSince: string | undefined): void {
    const isSilent = silentSince !== undefined
    this.showHeadline(
      isSilent ? silentHeadline(status, silentSince, nowMs) : headlineOf(status, nowMs),
      status.database,
    )
    this.showLeader(isSilent ? null : leaderHost(status))
    this.showAlarms(isSilent ? [] : alarmsOf(status, nowMs).slice(0, MAX_ALARMS))
  }

  private showHeadline({ health, title, summary }: Headline, database: string): void {
    setData(this.box, 'health', health)
    this.sign.setAttribute('d', SIGNS[health])
    setText(this.title, title)
    setText(this.summary, summary)
    const tab = `${title} · ${database}`
    if (document.title !== tab) document.title = tab
    const href = `page/icon-${health}.svg`
    if (this.icon !== null && this.icon.getAttribute('href') !== href) this.icon.setAttribute('href', href)
  }

  /** The leader has the same page, on the same port unless it was set otherwise there. */
  private showLeader(host: string | null): void {
    show(this.leader, host !== null)
    if (host === null) return
    const url = `http://${host}:${location.port || '5000'}/`
    if (this.leader.firstElementChild?.getAttribute('href') === url) return
    this.leader.replaceChildren('The page of the leader: ', el('a', { href: url }, url))
  }

  private showAlarms(alarms: ReturnType<typeof alarmsOf>): void {
    const text = JSON.stringify(alarms)
    show(this.alarms, alarms.length > 0)
    if (text === this.shownAlarms) return
    this.shownAlarms = text
    const items = alarms.map(({ name, code, lines, runbookUrl }) => {
      const page = runbookUrl === null ? `docs/runbook/${code}.md` : el('a', { href: runbookUrl }, `Runbook: ${code}`)
      return el('li', {}, el('strong', {}, name), ...lines.map((line) => el('p', {}, line)), el('p', {}, page))
    })
    this.alarms.replaceChildren(...items)
  }
}
