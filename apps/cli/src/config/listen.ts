import type { SettingsSource } from './layers.js'
import { readSettings } from './load.js'
import { listenAddress } from './value-types.js'
import { notesOf } from './variables.js'

/**
 * Where a service of these settings answers, by its `http_listen`; empty for nowhere. Known also while other settings
 * cannot be used; an address that cannot be used itself counts as not set, so that there is a place to say so.
 */
export function listenOf(source: SettingsSource): string {
  const { variables } = readSettings(source)
  const listen = variables.find(({ name }) => name === 'http_listen')
  const preset = notesOf('http_listen').preset ?? ''
  return listenAddress.read(listen?.valid ? (listen.value ?? preset) : preset)
}
