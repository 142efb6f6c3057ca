/**
 * What an audit's outcome means. A service that does not answer is no reason to fail, but is said.
 *
 * @param {{ code: number, stdout: string, output: string }} outcome of `pnpm audit --json`
 * @returns {{ ok: boolean, note: string, output?: string }}
 */
export function auditVerdict({ code, stdout, output }) {
  if (code === 0) return { ok: true, note: 'nothing of high severity known' }
  const advisories = Object.values(parsed(stdout)?.advisories ?? {})
  if (advisories.length > 0) {
    return {
      ok: false,
      note: 'known vulnerabilities of high severity',
      output: advisories.map(advisoryLine).join('\n'),
    }
  }
  const reason = output.match(/ERR_PNPM_\w+/)?.[0] ?? output.trim().split('\n')[0]
  return { ok: true, note: `NOT DONE: the audit service is out of reach here (${reason})` }
}

function advisoryLine({ module_name: name, vulnerable_versions: versions, severity, title, url }) {
  return `${name} ${versions}: ${title} (${severity}), ${url}`
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
