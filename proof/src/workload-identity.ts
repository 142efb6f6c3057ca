import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes a file for GOOGLE_APPLICATION_CREDENTIALS: an identity whose word is exchanged for tokens of Google's.
 *
 * @param tokenUrl - gives them out, as RFC 8693 has it.
 * @returns the file's path.
 */
export async function writeIdentity(folder: string, tokenUrl: string): Promise<string> {
  const subject = join(folder, 'subject')
  await writeFile(subject, 'word of the workload')
  const path = join(folder, 'identity.json')
  const identity = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: tokenUrl,
    credential_source: { file: subject },
  }
  await writeFile(path, JSON.stringify(identity))
  return path
}
