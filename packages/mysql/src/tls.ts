import { readFileSync } from 'node:fs'
import { ArchiverError, errorText } from '@archiver/core'
import type { SslOptions } from 'mysql2'
import type { MySqlTls } from './settings.js'

/** The driver's options. The CA file is read each time: a certificate authority may be replaced while a service runs. */
export function tlsOptions({ mode, caFile }: MySqlTls): SslOptions {
  const verify = mode === 'true'
  return { rejectUnauthorized: verify, verifyIdentity: verify, ...(caFile ? { ca: readCa(caFile) } : {}) }
}

function readCa(file: string): Buffer {
  let content: Buffer
  try {
    content = readFileSync(file)
  } catch (error) {
    throw unusable(file, errorText(error), error)
  }
  if (!content.includes('-----BEGIN ')) throw unusable(file, 'it has no PEM certificate')
  return content
}

/** Worth another try: a file that is being replaced may be missing or empty for a moment. */
function unusable(file: string, why: string, cause?: unknown): ArchiverError {
  return new ArchiverError(`the CA file ${file} cannot be used: ${why}`, {
    code: 'MYSQL_TLS',
    hint: 'Correct db_tls_ca, or write the PEM certificates of the authority into this file.',
    retryable: true,
    cause,
  })
}
