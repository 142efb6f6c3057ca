import { readSettings, type Settings, type SettingsSource } from '../config/index.js'

/** Names the settings that differ from those that were taken last. Values are not named: some are secrets. */
export class SettingChanges {
  readonly #source: SettingsSource
  #taken: ReadonlyMap<string, string | null>

  constructor(source: SettingsSource) {
    this.#source = source
    this.#taken = this.#read()
  }

  /** The names that differ. @param before - what was taken last. */
  since(before: Settings, after: Settings): string[] {
    const changed = [...this.#read()].filter(([name, value]) => this.#taken.get(name) !== value).map(([name]) => name)
    // What is read for people has its secrets masked.
    if (before.mysql.password !== after.mysql.password) changed.push('db_pass')
    if (before.clickhouse?.dsn !== after.clickhouse?.dsn) changed.push('ch_dsn')
    return [...new Set(changed)]
  }

  /** What is there now was taken. */
  take(): void {
    this.#taken = this.#read()
  }

  #read(): Map<string, string | null> {
    return new Map(readSettings(this.#source).variables.map(({ name, value }) => [name, value]))
  }
}
