import type { ServiceStatus, ServiceView } from '@archiver/service'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Answer } from '../answer.js'
import { REFUSAL_REASONS, type RefusalReason } from '../refusals.js'
import { EventCounters } from './event-counters.js'
import { STATUS_GAUGES, type StatusGauge } from './status-gauges.js'

/** Gauges whose names end in `_total`, which Prometheus keeps for counters: promtool refuses them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** How often Node's event loop is sampled: at prom-client's 10 ms an idle service would wake for nothing but this. */
const LOOP_SAMPLE_MS = 100

/** How many there are now. */
export interface HttpSizes {
  readonly connections: () => number
  readonly liveClients: () => number
}

/** What Prometheus is told. Nothing in it is asked of anybody: it is counted as it happens, or read off the status. */
export class Metrics implements Disposable {
  private readonly registry = new Registry()
  private readonly view: ServiceView
  private readonly events: EventCounters
  private readonly requests
  private readonly refused
  private readonly endEvents: () => void
  /** Of the scrape at hand, so that its values belong together. */
  private status: ServiceStatus

  constructor(view: ServiceView, sizes: HttpSizes) {
    const registers = [this.registry]
    this.view = view
    this.status = view.status()
    for (const gauge of STATUS_GAUGES) this.addGauge(gauge)
    this.events = new EventCounters(this.registry)
    this.endEvents = view.onEvent(this.events.count)
    this.requests = new Counter({
      name: 'archiver_http_requests_total',
      help: 'HTTP requests that were answered.',
      labelNames: ['path', 'code'],
      registers,
    })
    this.refused = new Counter({
      name: 'archiver_http_refused_total',
      help: 'HTTP requests that were refused, and connections that were closed, by reason.',
      labelNames: ['reason'],
      registers,
    })
    for (const reason of REFUSAL_REASONS) this.refused.inc({ reason }, 0)
    this.addLostLines(registers)
    addSize('archiver_http_connections', 'Open HTTP connections.', sizes.connections, registers)
    addSize('archiver_http_live_clients', 'Live pages that are open.', sizes.liveClients, registers)
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS })
    for (const name of MISNAMED) this.registry.removeSingleMetric(name)
  }

  /** @param path - one of ours, or `other`: never what a client made up. */
  answered(path: string, code: number): void {
    this.requests.inc({ path, code: String(code) })
  }

  refuse(reason: RefusalReason): void {
    this.refused.inc({ reason })
  }

  async scrape(): Promise<Answer> {
    this.status = this.view.status()
    this.events.expect(this.status)
    return { status: 200, type: this.registry.contentType, body: await this.registry.metrics() }
  }

  [Symbol.dispose](): void {
    this.endEvents()
    this.registry.clear()
  }

  private addLostLines(registers: Registry[]): void {
    const counter = new Counter({
      name: 'archiver_log_lost_lines_total',
      help: 'Lines of the log that could not be written.',
      registers,
      collect: () => {
        counter.reset()
        counter.inc(this.status.service?.lostLogLines ?? 0)
      },
    })
  }

  private addGauge({ name, help, labels, samples }: StatusGauge): void {
    const collect = () => {
      gauge.reset()
      if (labels.length === 0) gauge.remove()
      for (const { labels: of = {}, value } of samples(this.status)) if (value !== null) gauge.set(of, value)
    }
    const gauge = new Gauge({ name, help, labelNames: labels, registers: [this.registry], collect })
  }
}

function addSize(name: string, help: string, size: () => number, registers: Registry[]): void {
  const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(size()) })
}
