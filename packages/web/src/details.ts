import type { ServiceStatus, ServiceView } from '@archiver/service'

/**
 * The view without the names of accounts: who may see the page need not know them. Hosts, tables and texts of errors stay.
 *
 * @param users - of the settings. The account of another program that holds the lock is left out too.
 */
export function withoutAccounts(view: ServiceView, users: readonly string[]): ServiceView {
  const hide = hider(users)
  return {
    status: () => hideIn(view.status(), hide) as ServiceStatus, // only texts change
    history: () => view.history(),
    onChange: (listener) => view.onChange(listener),
    onEvent: (listener) => view.onEvent(listener),
  }
}

/** As MySQL writes an account: `'ntp'@'10.0.0.5'`. */
const ACCOUNT = /(?:'[^']*'|`[^`]*`)@(?:'[^']*'|`[^`]*`)/g
/** As the holder of a lock is described: `connection 7, user ntp, host 10.0.0.5:4711`. */
const HOLDER = /, user [^,]*(?=, host )/g

function hider(users: readonly string[]): (text: string) => string {
  const names = users.filter((user) => user !== '').map((user) => user.replaceAll(/[^\w\s]/g, '\\$&'))
  const named =
    names.length === 0 ? undefined : new RegExp(`(\\buser(?:name)?[ :=]+["'\`]?)(?:${names.join('|')})(?![\\w-])`, 'gi')
  const before = names.length === 0 ? undefined : new RegExp(`(?<![\\w.-])(?:${names.join('|')})@`, 'g')
  return (text) => {
    let shown = text.replaceAll(ACCOUNT, '…').replaceAll(HOLDER, '')
    if (named !== undefined) shown = shown.replaceAll(named, '$1…')
    if (before !== undefined) shown = shown.replaceAll(before, '…@')
    return shown
  }
}

function hideIn(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return hide(value)
  if (Array.isArray(value)) return value.map((one) => hideIn(one, hide))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hideIn(one, hide)]))
}
