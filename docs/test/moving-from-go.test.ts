import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './markdown.js'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Every variable of the Go archiver, with its default; undefined where it has none. */
const goVariables: Readonly<Record<string, string | undefined>> = {
  ...Object.fromEntries(['db_host', 'db_database', 'db_user', 'db_pass'].map((name) => [name, 'required'])),
  db_max_idle_conns: '10',
  db_max_open_conns: '10',
  db_max_idle_time: '2m',
  db_max_lifetime: '5m',
  db_timeout: '10s',
  db_charset: 'utf8mb4',
  db_timezone: 'UTC',
  db_lock_prefix: 'archiver-',
  db_lock_timeout: '0',
  db_reject_readonly: 'true',
  db_parse_time: 'true',
  DATABASE_DSN: undefined,
  app_default_table: 'log_scores',
  app_valid_tables: 'log_scores,log_scores_archive,log_scores_test',
  retention_days: '15',
  retention_days_default: '14',
  app_version: undefined,
  ch_dsn: undefined,
  bq_dataset: undefined,
  bq_project: 'ntppool',
  GOOGLE_APPLICATION_CREDENTIALS: undefined,
  gc_bucket: undefined,
  gc_project: 'ntppool',
  gc_content_type: 'avro/binary',
  gc_cache_control: 'public, max-age=157248000',
  avro_path: undefined,
  ...batch('bq', '200', '10000000', '10m'),
  ...batch('ch', '50', '500000', '0ms'),
  ...batch('avro', '500000', '10000000', '24h'),
  batch_avro_append_size: '50000',
  cleanup_default_interval: '4m',
  cleanup_batch_size: '200000',
  cleanup_reduced_interval: '1m',
  cleanup_fake_interval: '10m',
}

function batch(kind: string, min: string, max: string, interval: string): Record<string, string> {
  return {
    [`batch_${kind}_min_size`]: min,
    [`batch_${kind}_max_size`]: max,
    [`batch_${kind}_interval`]: interval,
  }
}

/** Name to default, as the generated table of the settings has them. */
const ours = new Map(
  [...read('docs/configuration.md').matchAll(/^\| `(\w+)` \| [^|]+ \| `?([^|`]*)`? \|/gm)].map(([, name, preset]) => [
    name!,
    preset!.trim(),
  ]),
)

test.each(Object.entries(goVariables))('%s is read, with its default, and the page tells of it', (name, preset) => {
  expect(ours.get(name)).toBe(preset ?? '')
  const page = read('docs/moving-from-go.md')
  const family = name.replace(/^(batch_(?:bq|ch|avro))_(?:min_size|max_size|interval)$/, '$1_*')
  expect(page).toContain(`\`${family}\``)
})
