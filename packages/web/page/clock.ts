/** The service's time, which this machine's own clock may miss by any amount. */
export class ServerClock {
  private offsetMs = 0

  /** @param iso - the time there, a moment ago. */
  set(iso: string): void {
    this.offsetMs = Date.parse(iso) - Date.now()
  }

  nowMs(): number {
    return Date.now() + this.offsetMs
  }
}
