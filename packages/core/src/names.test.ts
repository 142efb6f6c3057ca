import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const sources = globSync('**/*.ts', { cwd: import.meta.dirname, exclude: ['**/*.test.ts', '**/test-support.ts'] })

test.each(sources)('%s names no archive, no cloud and no database', (file) => {
  const text = readFileSync(`${import.meta.dirname}/${file}`, 'utf8')
  expect(text.match(/mysql|mariadb|innodb|kysely|clickhouse|bigquery|google|gcs|avro/gi)).toBeNull()
})
