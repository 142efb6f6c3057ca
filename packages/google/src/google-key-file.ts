import { readFile } from 'node:fs/promises'
import { ArchiverError, errorText } from '@archiver/core'

/** The variable that names a Google key file, to Google's libraries too. */
export const GOOGLE_KEY_VARIABLE = 'GOOGLE_APPLICATION_CREDENTIALS'

/**
 * Looks whether a file of Google credentials is there and is one. Nothing of what it holds gets into an error; the JSON
 * parser's own message would quote it.
 *
 * @throws ArchiverError `GOOGLE_KEY_FILE` that names the variable and the path.
 */
export async function requireGoogleKeyFile(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    throw unusable(`cannot be read (${errorText(thrown)})`)
  })
  if (!isCredentials(text)) throw unusable('is no JSON file of Google credentials')

  function unusable(what: string): ArchiverError {
    return new ArchiverError(`${GOOGLE_KEY_VARIABLE}: ${path} ${what}`, {
      code: 'GOOGLE_KEY_FILE',
      hint: 'Name the JSON file of a service account or a workload identity, and give this user the right to read it.',
    })
  }
}

/** They have a `type`: `service_account`, `external_account` and so on. */
function isCredentials(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && 'type' in parsed
  } catch {
    return false
  }
}
