import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { sourceVariables, type Variables } from '../launcher.js'
import type { DataFolder } from './data-folder.js'
import type { DemoSource } from './source.js'

/** Writes the archiver's settings as an env file. @returns its path. */
export function writeSettings(folder: DataFolder, { address }: DemoSource): string {
  const variables: Variables = {
    ...sourceVariables(address),
    avro_path: folder.file('avro'),
    // Everything is stored at once; in earnest a file is written once a day.
    batch_avro_min_size: '1',
    batch_avro_interval: '0s',
    ch_dsn: `chdb://${pathToFileURL(folder.file('clickhouse')).pathname}`,
    batch_ch_min_size: '1',
  }
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'`)
  const file = folder.file('demo.env')
  writeFileSync(
    file,
    `# The settings of the demo: ./archiver archive --config ${folder.shortPath}/demo.env\n${lines.join('\n')}\n`,
  )
  return file
}
