import { registerHooks } from 'node:module'

// Preloaded by a test: says which files the program loads.
registerHooks({
  load(url, context, nextLoad) {
    if (url.startsWith('file:')) process.stderr.write(`loaded ${url}\n`)
    return nextLoad(url, context)
  },
})
