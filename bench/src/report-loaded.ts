import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

/** To be preloaded: at the end, writes the URLs of all modules that were loaded to the file ARCHIVER_BENCH_LOADED names. */
const loaded = new Set<string>()

registerHooks({
  load(url, context, next) {
    loaded.add(url)
    return next(url, context)
  },
})

process.on('exit', () => writeFileSync(process.env.ARCHIVER_BENCH_LOADED!, JSON.stringify([...loaded])))
