import { el, setText, svg } from './dom.js'
import { clockTime, roughly } from './format.js'
import type { Point } from './history.js'

const WIDTH = 300
const HEIGHT = 72
/** A line is not drawn over a longer time without a sample. */
const GAP_MS = 5 * 60_000
const LEAST_SPAN_MS = 10 * 60_000

export interface ChartOptions {
  readonly title: string
  /** Of which archiver, for those who cannot see it. */
  readonly of: string
  readonly kind: 'lag' | 'rate'
  readonly format: (value: number) => string
}

/** A line over time, from zero up to the highest value. The value under the pointer is shown. */
export class Chart {
  readonly element: HTMLElement
  private readonly options: ChartOptions
  private readonly line = svg('path', { class: 'line' })
  private readonly area = svg('path', { class: 'area' })
  private readonly cursor = svg('path', { class: 'cursor' })
  private readonly picture: SVGSVGElement
  private readonly reading = el('span', { class: 'reading' })
  private readonly start = el('span')
  private points: readonly Point[] = []
  private highest = 0

  constructor(options: ChartOptions) {
    this.options = options
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' }
    const grid = svg('path', { class: 'grid', d: `M0 1H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}` })
    this.picture = svg('svg', box, grid, this.area, this.line, this.cursor)
    const caption = el('figcaption', {}, el('span', {}, options.title), this.reading)
    const axis = el('div', { class: 'axis', 'aria-hidden': 'true' }, this.start, el('span', {}, 'now'))
    this.element = el('figure', { class: `chart ${options.kind}` }, caption, this.picture, axis)
    this.picture.addEventListener('pointermove', (event) => this.pointAt(event.offsetX / this.picture.clientWidth))
    this.picture.addEventListener('pointerleave', () => this.rest())
  }

  draw(points: readonly Point[]): void {
    this.points = points
    this.highest = Math.max(0, ...points.map(({ value }) => value ?? 0))
    const segments = segmentsOf(points).map((segment) => thinned(segment.map((point) => this.place(point))))
    this.line.setAttribute('d', segments.map(lineOf).join(''))
    this.area.setAttribute('d', segments.map(areaOf).join(''))
    setText(this.start, points.length === 0 ? '' : `${roughly(this.spanMs)} ago`)
    this.picture.setAttribute('aria-label', this.description())
    this.rest()
  }

  private get lastMs(): number {
    return this.points.at(-1)?.ms ?? 0
  }

  private get spanMs(): number {
    return Math.max(LEAST_SPAN_MS, this.lastMs - (this.points[0]?.ms ?? 0))
  }

  private place({ ms, value }: Known): XY {
    const y = this.highest === 0 ? HEIGHT - 1 : HEIGHT - 1 - (value / this.highest) * (HEIGHT - 4)
    return { x: WIDTH * (1 - (this.lastMs - ms) / this.spanMs), y }
  }

  private rest(): void {
    this.cursor.setAttribute('d', '')
    setText(this.reading, this.points.length === 0 ? 'nothing yet' : `most ${this.options.format(this.highest)}`)
  }

  /** @param part - of the width, 0 to 1. */
  private pointAt(part: number): void {
    const ms = this.lastMs - this.spanMs * (1 - part)
    const near = this.points.findLast((point) => point.ms <= ms) ?? this.points[0]
    this.rest()
    if (near === undefined || near.value === null) return
    const { x } = this.place({ ms: near.ms, value: near.value })
    this.cursor.setAttribute('d', `M${x.toFixed(1)} 0V${HEIGHT}`)
    const at = clockTime(new Date(near.ms).toISOString(), this.lastMs)
    setText(this.reading, `${this.options.format(near.value)} at ${at}`)
  }

  private description(): string {
    const { title, of, format } = this.options
    const newest = this.points.findLast(({ value }) => value !== null)?.value
    if (newest === undefined || newest === null) return `${title} of ${of}: nothing is known yet`
    return `${title} of ${of} over the last ${roughly(this.spanMs)}: ${format(newest)} now, ${format(this.highest)} at most`
  }
}

interface XY {
  readonly x: number
  readonly y: number
}

type Known = Point & { readonly value: number }

/** Runs of known values without a long gap. */
function segmentsOf(points: readonly Point[]): Known[][] {
  const segments: Known[][] = []
  let lastMs = Number.NEGATIVE_INFINITY
  for (const { ms, value } of points) {
    if (value === null) {
      lastMs = Number.NEGATIVE_INFINITY
      continue
    }
    if (ms - lastMs > GAP_MS) segments.push([])
    segments.at(-1)?.push({ ms, value })
    lastMs = ms
  }
  return segments
}

/** At most one point for each unit of the width: the highest, so that no peak is lost. */
function thinned(points: readonly XY[]): XY[] {
  const columns = new Map<number, XY>()
  for (const point of points) {
    const column = Math.round(point.x)
    const before = columns.get(column)
    if (before === undefined || point.y < before.y) columns.set(column, point)
  }
  return [...columns.values()]
}

function lineOf(points: readonly XY[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
}

function areaOf(points: readonly XY[]): string {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return ''
  return `${lineOf(points)}L${last.x.toFixed(1)} ${HEIGHT}L${first.x.toFixed(1)} ${HEIGHT}Z`
}
