import type { ArchiverState, BatchProgress } from '@archiver/service'
import { Chart } from './chart.js'
import { el, setData, setText, show } from './dom.js'
import { Facts } from './facts.js'
import { bytes, count, duration, perSecond, roughly, rows, when } from './format.js'
import { behindOf, shownHealth } from './headline.js'
import { type History, recentMean } from './history.js'
import { Trouble } from './trouble.js'

const LEAST_RATE_WINDOW_MS = 10 * 60_000

const STATES: Readonly<Record<ArchiverState['state'], string>> = {
  waiting: 'waiting',
  queued: 'waiting for its turn',
  running: 'running',
  retrying: 'trying again',
  failing: 'failing',
  elsewhere: 'not configured here',
  unknown: 'unknown',
}

/** One archive: how far behind, how fast, what is wrong, and how it was over the last hours. */
export class ArchiverCard {
  readonly element: HTMLElement
  private readonly badge = el('p', { class: 'badge' })
  private readonly lagLabel = el('p', { class: 'label' })
  private readonly lag = el('p', { class: 'big' })
  private readonly lagRows = el('p', { class: 'sub' })
  private readonly rate = el('p', { class: 'big' })
  private readonly rateWindow = el('p', { class: 'sub' })
  private readonly progress = new Progress()
  private readonly trouble = new Trouble('failing')
  private readonly skipped = new Trouble('late')
  private readonly facts = new Facts()
  private readonly lagChart: Chart
  private readonly rateChart: Chart
  private drawn = -1

  constructor(name: string) {
    this.lagChart = new Chart({ title: 'Lag', of: name, kind: 'lag', format: duration })
    this.rateChart = new Chart({
      title: 'Throughput',
      of: name,
      kind: 'rate',
      format: (value) => `${perSecond(value)} rows/s`,
    })
    this.element = el(
      'article',
      { class: 'card', 'data-archiver': name, 'aria-label': name },
      el('header', {}, el('h3', {}, name), this.badge),
      el(
        'div',
        { class: 'figures' },
        el('div', { class: 'figure' }, this.lagLabel, this.lag, this.lagRows),
        el('div', { class: 'figure' }, el('p', { class: 'label' }, 'Rows a second'), this.rate, this.rateWindow),
      ),
      this.progress.element,
      this.trouble.element,
      this.skipped.element,
      el('div', { class: 'charts' }, this.lagChart.element, this.rateChart.element),
      this.facts.element,
    )
  }

  /** @param mysqlAnswers - without it nothing is known of what waits. */
  update(one: ArchiverState, history: History, nowMs: number, mysqlAnswers: boolean): void {
    setData(this.element, 'health', shownHealth(one.health, one.state, mysqlAnswers))
    const behind = behindOf(one, mysqlAnswers, nowMs)
    setText(this.badge, badgeText(one))
    setText(this.lagLabel, behind.label)
    setText(this.lag, behind.text)
    setData(this.lag, 'length', behind.text.length > 9 ? 'long' : 'short')
    setText(this.lagRows, behind.sub)
    this.showRate(one, history)
    this.progress.set(one.batch, nowMs)
    this.showTrouble(one, nowMs)
    this.showFacts(one, nowMs)
    if (this.drawn === history.version) return
    this.drawn = history.version
    this.lagChart.draw(history.lagMs(one.archiver))
    this.rateChart.draw(history.rowsPerSecond(one.archiver))
  }

  /** Over two intervals: an archive that takes a batch every ten minutes has a rate too. */
  private showRate({ archiver, policy }: ArchiverState, history: History): void {
    const windowMs = Math.max(LEAST_RATE_WINDOW_MS, 2 * (policy?.intervalMs ?? 0))
    const mean = recentMean(history.rowsPerSecond(archiver), windowMs)
    setText(this.rate, mean === null ? '–' : perSecond(mean.value))
    setText(this.rateWindow, mean === null ? 'not known yet' : `over the last ${roughly(mean.overMs)}`)
  }

  private showTrouble({ error, failuresInARow, skippedRows }: ArchiverState, nowMs: number): void {
    const times = failuresInARow > 1 ? `, ${count(failuresInARow)} times in a row` : ''
    this.trouble.set(error && { ...error, title: `${error.code} · ${when(error.at, nowMs)}${times}` })
    this.skipped.set(
      skippedRows === 0
        ? null
        : {
            title: `${rows(skippedRows)} taken out`,
            message: 'An operator took them out with archiver skip: they are not in this archive.',
            hint: null,
          },
    )
  }

  private showFacts({ lastBatch, nextRunAt, mark, lastSuccessAt, error }: ArchiverState, nowMs: number): void {
    const { facts } = this
    const took = lastBatch && `${bytes(lastBatch.bytes)} in ${duration(lastBatch.elapsedMs)}`
    facts.set('Last batch', lastBatch && `${rows(lastBatch.rows)}, ${took}`)
    facts.set('Done', lastBatch && when(lastBatch.doneAt, nowMs))
    facts.set('Stored as', lastBatch?.identity ?? null)
    facts.set('Mark', mark === null ? 'nothing stored yet' : `id ${count(mark)}`)
    facts.set('Last success', error && lastSuccessAt && when(lastSuccessAt, nowMs))
    facts.set('Next run', nextRunAt && when(nextRunAt, nowMs))
  }
}

/** The health first where it is not fine. */
function badgeText({ health, state }: ArchiverState): string {
  return health === 'ok' || health === state ? STATES[state] : `${health}, ${STATES[state]}`
}

/** The batch under way. */
class Progress {
  private readonly bar = el('progress', { max: '1', 'aria-label': 'batch under way' })
  private readonly text = el('p', { class: 'sub' })
  readonly element = el('div', { class: 'progress' }, this.bar, this.text)

  set(batch: BatchProgress | null, nowMs: number): void {
    show(this.element, batch !== null)
    if (batch === null) return
    const most = Number(BigInt(batch.upToId) - BigInt(batch.firstId) + 1n)
    this.bar.value = most > 0 ? Math.min(1, batch.rows / most) : 0
    setText(this.text, `${count(batch.rows)} of ${rows(most)} at most; began ${when(batch.startedAt, nowMs)}`)
  }
}
