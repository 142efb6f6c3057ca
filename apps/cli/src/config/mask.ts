/** What stands for a secret wherever values are printed. */
export const masked = '***'

const urlUserInfo = /^([a-z][a-z0-9+.-]*:\/\/[^:@/]*):.*@/is
const secretParameter = /([?&](?:password|pass|token|access_token|secret)=)[^&]*/gi

/** A URL-shaped DSN without its password (`tcp://user:***@host:9000/db`). Hides too much rather than too little. */
export function maskUrl(text: string): string {
  return text.replace(urlUserInfo, `$1:${masked}@`).replace(secretParameter, `$1${masked}`)
}
