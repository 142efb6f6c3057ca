import type { ArchiverState, HistorySample, ServiceEvent, ServiceStatus, ServiceView } from '@archiver/service'

/** A view whose status a test sets, for what shows it. */
export class ScriptedView implements ServiceView {
  current: ServiceStatus
  samples: HistorySample[]
  /** How often anybody asked: nothing else may be. */
  statusCalls = 0
  private readonly changeListeners = new Set<() => void>()
  private readonly eventListeners = new Set<(event: ServiceEvent) => void>()

  constructor(status: ServiceStatus, samples: readonly HistorySample[] = []) {
    this.current = status
    this.samples = [...samples]
  }

  status(): ServiceStatus {
    this.statusCalls++
    return this.current
  }

  history(): readonly HistorySample[] {
    return this.samples
  }

  onChange(listener: () => void): () => void {
    this.changeListeners.add(listener)
    return () => this.changeListeners.delete(listener)
  }

  onEvent(listener: (event: ServiceEvent) => void): () => void {
    this.eventListeners.add(listener)
    return () => this.eventListeners.delete(listener)
  }

  get listeners(): number {
    return this.changeListeners.size + this.eventListeners.size
  }

  /** Changes parts of the status, and says so. */
  set(change: Partial<ServiceStatus>): void {
    this.current = { ...this.current, at: new Date().toISOString(), ...change }
    for (const listener of this.changeListeners) listener()
  }

  /** Changes parts of one archiver, and says so. */
  setArchiver(name: string, change: Partial<ArchiverState>, status: Partial<ServiceStatus> = {}): void {
    const archivers = this.current.archivers.map((one) => (one.archiver === name ? { ...one, ...change } : one))
    this.set({ ...status, archivers })
  }

  addSample(sample: HistorySample): void {
    this.samples.push(sample)
    for (const listener of this.changeListeners) listener()
  }

  emit(event: ServiceEvent): void {
    for (const listener of this.eventListeners) listener(event)
  }
}
