import type { ServiceView } from '@archiver/service'
import { startWeb, type WebOptions } from '../web.js'
import { exampleHistory, exampleStatus } from './example-status.js'
import { ScriptedView } from './scripted-view.js'

/** What a test asks, and what was said in the log meanwhile. */
export interface OpenWeb extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly warnings: string[]
  get(path: string, init?: RequestInit): Promise<Response>
}

/** The server on a free port of 127.0.0.1. */
export async function openWeb(view: ServiceView = exampleView(), options: Partial<WebOptions> = {}): Promise<OpenWeb> {
  const warnings: string[] = []
  const web = await startWeb({
    view,
    listen: '127.0.0.1:0',
    hostNames: ['x'],
    warn: (text) => warnings.push(text),
    ...options,
  })
  const url = `http://127.0.0.1:${web.port}`
  return {
    port: web.port,
    url,
    warnings,
    get: (path, init) => fetch(url + path, init),
    [Symbol.asyncDispose]: () => web[Symbol.asyncDispose](),
  }
}

/** A service of four archives where all goes well, with four hours behind it. */
export function exampleView(): ScriptedView {
  return new ScriptedView(exampleStatus(), exampleHistory())
}
