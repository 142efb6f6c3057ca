/** How bodies are compressed. `auto`: zstd to other machines, nothing to this one. */
export type Compression = 'none' | 'auto' | 'zstd' | 'gzip'

/** ClickHouse servers to reach over HTTP. */
export interface ClickHouseServers {
  readonly kind: 'servers'
  /** `http://host:port`, in the order in which they are tried. At least one. */
  readonly urls: readonly string[]
  readonly username: string
  readonly password: string
  readonly database: string
  /** A path in front of the server, for proxies; empty for none. */
  readonly httpPath: string
  /** Whether the certificate of an https server is not looked at. */
  readonly skipVerify: boolean
  readonly compression: Compression
  readonly dialTimeoutMs: number
  /** How long a request may go without any byte in either direction. */
  readonly requestTimeoutMs: number
  /** ClickHouse's settings, sent with every statement. */
  readonly settings: Readonly<Record<string, string>>
}

/** ClickHouse inside this process, on a folder of its own. */
export interface EmbeddedClickHouse {
  readonly kind: 'embedded'
  /** Absolute. */
  readonly path: string
  readonly database: string
  readonly settings: Readonly<Record<string, string>>
}

export type ClickHouseTarget = ClickHouseServers | EmbeddedClickHouse

/** The target for messages; without the password. */
export function targetText(target: ClickHouseTarget): string {
  if (target.kind === 'embedded') return `chdb://${target.path}`
  return `${target.urls.join(',')}/${target.database}, user ${target.username}`
}
