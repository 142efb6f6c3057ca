import type { ServiceView } from '@archiver/service'

export interface WebOptions {
  readonly view: ServiceView
  /** `:5000`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly listen: string
  /** Something to look at that stops nothing: a request that was cut off, too many connections. */
  readonly warn: (text: string) => void
}

/** The service's HTTP side. */
export interface Web extends AsyncDisposable {
  /** Where it answers. */
  readonly port: number
}

/** Listens; read-only, and nothing that is asked reaches MySQL. @throws ArchiverError where the address cannot be had. */
export async function startWeb(_options: WebOptions): Promise<Web> {
  throw new Error('not there yet')
}
