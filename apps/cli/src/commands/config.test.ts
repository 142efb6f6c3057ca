import { expect, it } from 'vitest'
import { ConfigError } from '../config/problem.js'
import { printConfiguration } from './config.js'

const complete = { db_host: 'db', db_database: 'askntp', db_user: 'u', db_pass: 's3cret', avro_path: '/archive' }

async function run(env: Readonly<Record<string, string>>, json: boolean) {
  let printed = ''
  const write = (text: string) => {
    printed += text
  }
  const done = printConfiguration({ env, cwd: '/', databaseFiles: [] }, { json, write })
  const error = await done.catch((thrown: unknown) => thrown)
  return { printed, error }
}

it.each([true, false])('prints the effective settings (JSON: %s)', async (json) => {
  const { printed, error } = await run(complete, json)
  expect(error).toBeUndefined()
  expect(printed).toContain('askntp')
  expect(printed).toContain('***')
  expect(printed).not.toContain('s3cret')
})

it.each([true, false])('prints what it understood, then fails with all that is wrong (JSON: %s)', async (json) => {
  const { printed, error } = await run({ ...complete, db_host: '', retention_days: 'x' }, json)
  expect(printed).toContain('askntp')
  expect(error).toBeInstanceOf(ConfigError)
  expect(error).toMatchObject({ problems: [{ variable: 'db_host' }, { variable: 'retention_days' }] })
})
