import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requireGoogleKeyFile } from './google-key-file.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'google-key-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function fileOf(text: string): Promise<string> {
  const path = join(folder, 'key.json')
  await writeFile(path, text)
  return path
}

test('a file with a type passes', async () => {
  await requireGoogleKeyFile(await fileOf('{"type":"service_account","private_key":"secret"}'))
})

test('a missing file is named with its variable', async () => {
  const path = join(folder, 'missing.json')
  await expect(requireGoogleKeyFile(path)).rejects.toMatchObject({
    code: 'GOOGLE_KEY_FILE',
    message: expect.stringMatching(`^GOOGLE_APPLICATION_CREDENTIALS: ${path} cannot be read \\(ENOENT`),
  })
  await expect(requireGoogleKeyFile(folder)).rejects.toThrow(/EISDIR/)
})

test.each(['-----BEGIN PRIVATE KEY-----secret', '{"private_key":"secret"}', '"secret"', 'null', ''])(
  'of %j nothing is quoted',
  async (text) => {
    const error: unknown = await requireGoogleKeyFile(await fileOf(text)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringMatching(/is no JSON file of Google credentials$/) })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret')
    expect(error).not.toHaveProperty('cause')
  },
)
