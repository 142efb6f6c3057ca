/** For tests that need a program which is no server: how this package finds, fetches and runs its own. */
export { type UnpackedPackages, unpackDebianPackages, unpackDebianPrograms } from './debian-packages.js'
export { findExecutable, runCommand, withServerFolders } from './executables.js'
export { fetchOnce } from './fetch-once.js'
export { goProgram } from './go.js'
