/** How to reach the MySQL server, and how many connections the source may use. */
export interface MySqlSettings {
  readonly host: string
  readonly port: number
  /** Wins over host and port. */
  readonly socketPath?: string | undefined
  readonly database: string
  readonly user: string
  readonly password: string
  readonly tls?: MySqlTls | undefined
  /** Default 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * The longest time, in milliseconds, that the server may be silent while a statement waits for its answer; then the
   * connection is closed. Default 120,000; 0 for no limit.
   */
  readonly readTimeoutMs?: number | undefined
  /** Default 10. */
  readonly maxOpenConnections?: number | undefined
  /** Default 10. */
  readonly maxIdleConnections?: number | undefined
  /** Default 2 minutes; 0 for ever. */
  readonly maxIdleTimeMs?: number | undefined
  /** A connection older than this is not used again. Default 5 minutes; 0 for ever. */
  readonly maxLifetimeMs?: number | undefined
}

export interface MySqlTls {
  /** `true` verifies the certificate and its host name, `skip-verify` does not, `preferred` is `skip-verify` where the server offers TLS. */
  readonly mode: 'false' | 'true' | 'skip-verify' | 'preferred'
  /** A file of PEM certificates to trust instead of the system's. */
  readonly caFile?: string | undefined
}
