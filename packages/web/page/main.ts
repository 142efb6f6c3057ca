import type { ServiceStatus } from '@archiver/service'
import { ArchiverCard } from './archiver-card.js'
import { AroundCards } from './around-cards.js'
import { ServerClock } from './clock.js'
import { byId, setData, setText } from './dom.js'
import { clockTime } from './format.js'
import { History } from './history.js'
import { type Connection, Live } from './live.js'
import { Verdict } from './verdict.js'

const clock = new ServerClock()
const history = new History()
const verdict = new Verdict()
const around = new AroundCards(byId('around'))
const cards = new Map<string, ArchiverCard>()
let status: ServiceStatus | undefined
let connection: Connection | undefined
let lostAt: string | undefined
/** When the service was last heard, by its own clock. */
let heardAt: string | undefined

new Live({
  onStatus: (next, now) => {
    clock.set(now)
    status = next
    render()
  },
  onHistory: (samples) => {
    history.replace(samples)
    render()
  },
  onSample: (sample) => {
    history.add(sample)
    render()
  },
  onConnection: (next) => {
    connection = next
    if (next !== 'lost') heardAt = new Date(clock.nowMs()).toISOString()
    lostAt = next === 'lost' ? (lostAt ?? heardAt ?? new Date(clock.nowMs()).toISOString()) : undefined
    renderConnection()
    render()
  },
}).start()
setInterval(render, 1000)

function render(): void {
  if (status === undefined) return
  const nowMs = clock.nowMs()
  setText(byId('place'), `${status.database}.${status.table}`)
  setText(byId('version'), `archiver ${status.version}`)
  verdict.update(status, nowMs, lostAt)
  arrangeCards(status.archivers.map(({ archiver }) => archiver))
  for (const one of status.archivers) cards.get(one.archiver)?.update(one, history, nowMs, status.mysql.reachable)
  around.update(status, nowMs)
}

/** One card for each archiver, in their order. */
function arrangeCards(names: readonly string[]): void {
  if ([...cards.keys()].join() === names.join()) return
  for (const name of names) if (!cards.has(name)) cards.set(name, new ArchiverCard(name))
  for (const name of cards.keys()) if (!names.includes(name)) cards.delete(name)
  byId('archives').replaceChildren(...names.map((name) => cards.get(name)!.element))
}

/** Said once when it changes, not every second: it is read out. */
function renderConnection(): void {
  if (connection === undefined) return
  setData(document.body, 'connection', connection)
  const texts: Readonly<Record<Connection, string>> = {
    live: 'live',
    polling: 'asked every 5 s',
    lost: `connection lost at ${lostAt && clockTime(lostAt, clock.nowMs())}; trying again`,
  }
  setText(byId('connection'), texts[connection])
}
