import { parseDuration } from '@archiver/core'
import { dsnError } from './dsn-error.js'
import type { Compression } from './target.js'

/** A DSN that is being read. */
export interface Draft {
  scheme: string
  hosts: string[]
  username: string
  password: string
  database: string
  secure: boolean
  httpPort: number | undefined
  httpPath: string
  skipVerify: boolean
  compression: Compression
  dialTimeoutMs: number
  requestTimeoutMs: number
  settings: Record<string, string>
}

type Apply = (draft: Draft, value: string, name: string) => void

const compressions: Readonly<Record<string, Compression>> = {
  none: 'none',
  lz4: 'auto',
  lz4hc: 'auto',
  zstd: 'zstd',
  gzip: 'gzip',
  deflate: 'gzip',
}

/** Parameters of the Go drivers that concern how they work inside: read, and without effect here. */
const withoutEffect = [
  'block_buffer_size',
  'block_size',
  'client_info_product',
  'compress_level',
  'conn_max_lifetime',
  'connection_open_strategy',
  'debug',
  'max_compression_buffer',
  'max_idle_conns',
  'max_open_conns',
  'no_delay',
  'pool_size',
  'write_timeout',
]

const parameters: Readonly<Record<string, Apply>> = {
  ...Object.fromEntries(withoutEffect.map((name) => [name, () => {}])),
  username: (draft, value) => {
    draft.username = value
  },
  password: (draft, value) => {
    draft.password = value
  },
  database: (draft, value) => {
    draft.database = value
  },
  alt_hosts: (draft, value) => {
    draft.hosts.push(...value.split(',').filter((host) => host !== ''))
  },
  secure: (draft, value, name) => {
    draft.secure = draft.scheme === 'https' || flag(value, name)
  },
  skip_verify: (draft, value, name) => {
    draft.skipVerify = flag(value, name)
  },
  compress: (draft, value, name) => {
    draft.compression =
      compressions[value.toLowerCase()] ?? (flag(value, name, 'or lz4, zstd, gzip, none') ? 'auto' : 'none')
  },
  dial_timeout: (draft, value, name) => {
    draft.dialTimeoutMs = timeoutMs(value, name)
  },
  read_timeout: (draft, value, name) => {
    draft.requestTimeoutMs = timeoutMs(value, name)
  },
  http_port: (draft, value) => {
    draft.httpPort = Number(value)
    if (!/^\d{1,5}$/.test(value) || draft.httpPort < 1 || draft.httpPort > 65_535) {
      throw dsnError(`http_port=${value} is not a port (1 to 65535)`)
    }
  },
  http_path: (draft, value) => {
    draft.httpPath = value
  },
  http_proxy: () => refuse('http_proxy', 'proxies are not supported'),
  tls_config: () => refuse('tls_config', 'it names a configuration inside a Go program'),
}

/** Takes over what the DSN says after the question mark. What no driver knows is a setting of the server's. */
export function applyParameters(draft: Draft, query: URLSearchParams): void {
  const seen = new Set<string>()
  for (const [name, value] of query) {
    if (seen.has(name)) throw dsnError(`${name}= is given twice`)
    seen.add(name)
    const apply = Object.hasOwn(parameters, name) ? parameters[name]! : setting
    apply(draft, value, name)
  }
}

function setting(draft: Draft, value: string, name: string): void {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw dsnError(`${JSON.stringify(name)} is not a parameter`)
  if (value === '') throw dsnError(`${name}= has no value`)
  const flags: Readonly<Record<string, string>> = { true: '1', false: '0' }
  draft.settings[name] = flags[value.toLowerCase()] ?? value
}

function flag(value: string, name: string, also = ''): boolean {
  if (/^(1|t|true|)$/i.test(value)) return true
  if (/^(0|f|false)$/i.test(value)) return false
  throw dsnError(`${name}=${value} is not true or false${also && ` ${also}`}`)
}

/** A Go duration, or seconds as the first Go driver has them. */
function timeoutMs(value: string, name: string): number {
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : durationMs(value)
  if (!(ms >= 1)) throw dsnError(`${name}=${value} is not a time such as 10s`)
  return ms
}

function durationMs(value: string): number {
  try {
    return parseDuration(value)
  } catch {
    return Number.NaN
  }
}

function refuse(name: string, why: string): never {
  throw dsnError(`${name}= cannot be honoured: ${why}`)
}
