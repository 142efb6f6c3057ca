import { GOOGLE_KEY_VARIABLE, requireGoogleKeyFile } from '@archiver/google'
import type { BigQuery } from '@google-cloud/bigquery'
import type { BigQueryArchiverOptions } from './options.js'

/** Within some seconds; what takes longer is for the engine, which tries again as well. */
const maxRetries = 2

/** Where an emulator answers; undefined for Google's own service. */
export function emulatorOf({ emulatorHost }: BigQueryArchiverOptions): string | undefined {
  const host = emulatorHost || process.env.BIGQUERY_EMULATOR_HOST
  return host ? addressOf(host, 'http') : undefined
}

/** The key file that is to be used, looked at. @throws ArchiverError `GOOGLE_KEY_FILE` where it is of no use. */
export async function checkedKeyFile({ keyFile }: BigQueryArchiverOptions): Promise<string | undefined> {
  const path = keyFile || process.env[GOOGLE_KEY_VARIABLE] || undefined
  if (path !== undefined) await requireGoogleKeyFile(path)
  return path
}

/**
 * The client, imported here and not before: it takes as long to load as the rest of the program. For an emulator nobody is
 * asked for credentials; without any, the client would die of an uncaught TypeError.
 */
export async function connect(options: BigQueryArchiverOptions): Promise<BigQuery> {
  const [{ BigQuery }, { PassThroughClient }] = await Promise.all([
    import('@google-cloud/bigquery'),
    import('google-auth-library'),
  ])
  const { projectId, endpoint } = options
  const common = { projectId, retryOptions: { maxRetries } }
  const emulator = emulatorOf(options)
  if (emulator !== undefined) {
    const client = new BigQuery({ ...common, apiEndpoint: emulator, authClient: new PassThroughClient() })
    // As the client has it with BIGQUERY_EMULATOR_HOST in the environment.
    client.baseUrl = emulator
    return client
  }
  return new BigQuery({
    ...common,
    ...(endpoint ? { apiEndpoint: addressOf(endpoint, 'https') } : {}),
    ...(await keyFileOption(options)),
  })
}

/** The file of the environment is found by the library itself, which warns on the console of any that it is given. */
export async function keyFileOption(options: BigQueryArchiverOptions): Promise<{ readonly keyFilename?: string }> {
  const keyFilename = await checkedKeyFile(options)
  return keyFilename === undefined || keyFilename === process.env[GOOGLE_KEY_VARIABLE] ? {} : { keyFilename }
}

export function addressOf(text: string, scheme: string): string {
  return (/^\w+:\/\//.test(text) ? text : `${scheme}://${text}`).replace(/\/+$/, '')
}
