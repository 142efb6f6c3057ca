/**
 * What a single file cannot import. The native library of snappy is an asset of the executable, laid into a temporary folder
 * when it is first used; chdb, which is larger than all the rest, is taken from beside the executable, if it is there.
 */
const modules = {
  snappy: `
    import { mkdtempSync, writeFileSync } from 'node:fs'
    import { constants, tmpdir } from 'node:os'
    import { join } from 'node:path'
    import { getRawAsset } from 'node:sea'
    const file = join(mkdtempSync(join(tmpdir(), 'archiver-')), 'snappy.node')
    writeFileSync(file, new Uint8Array(getRawAsset('snappy.node')))
    const native = { exports: {} }
    process.dlopen(native, file, constants.dlopen.RTLD_NOW)
    export const compress = (input) => native.exports.compress(input)
    export const uncompress = (input, options) => native.exports.uncompress(input, options)`,
  'chdb/connection': `
    import { createRequire } from 'node:module'
    export const { createChdbConnection } = createRequire(process.execPath)('chdb/connection')`,
}

/** In place of modules that are outside of the bundle otherwise. */
export function nativePlugin() {
  return {
    name: 'native',
    resolveId: (id) => (Object.hasOwn(modules, id) ? `\0${id}` : null),
    load: (id) => (id.startsWith('\0') && Object.hasOwn(modules, id.slice(1)) ? modules[id.slice(1)] : null),
  }
}

/** The one require() of a file on disk becomes one that the bundler sees. */
export function yamlPlugin() {
  const call = /createRequire\(import\.meta\.url\)\((['"]yaml['"])\)/
  return {
    name: 'yaml',
    transform: (code) => (call.test(code) ? code.replace(call, 'require($1)') : null),
  }
}
