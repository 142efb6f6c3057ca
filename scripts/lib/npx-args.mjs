/**
 * What npx is called with to run the pinned pnpm. The npm of Node 20.0 to 20.3 (9.6) takes every machine for one of an unknown
 * C library, leaves out the native part of pnpm without a word, and pnpm then ends without a word: there the part is named.
 *
 * @param {string} pnpm such as `pnpm@12.21.0`
 * @param {string} npmVersion such as `9.6.4`
 */
export function npxArgs(pnpm, npmVersion, { platform, arch, report } = process) {
  const [major, minor] = npmVersion.split('.').map(Number)
  if (major > 9 || (major === 9 && minor > 6)) return ['--yes', pnpm]
  const isMusl = platform === 'linux' && report.getReport().header.glibcVersionRuntime === undefined
  const native = `@pnpm/exe.${platform}-${arch}${isMusl ? '-musl' : ''}@${pnpm.split('@')[1]}`
  return ['--yes', '--force', '--package', pnpm, '--package', native, '--', 'pnpm']
}
