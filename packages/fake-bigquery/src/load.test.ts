import { readFile, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeBigQuery, TableField } from './contract.js'
import { startFakeBigQuery } from './start.js'
import { AvroFolder, clientOf, ended, loadOf, multipart, rowFields, rowsFrom } from './test-support.js'

const files = new AvroFolder()
const objects = new Map<string, Buffer>()
const storage = createServer((request, response) => {
  const bytes = objects.get(request.url ?? '')
  response.writeHead(bytes ? 200 : 404).end(bytes)
})
let fake: FakeBigQuery
let later: FakeBigQuery

beforeAll(async () => {
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve))
  const { port } = storage.address() as AddressInfo // a listening TCP server has one
  fake = await startFakeBigQuery({ storageUrl: `http://127.0.0.1:${port}` })
  later = await startFakeBigQuery({ decode: 'later' })
  for (const each of [fake, later]) await each.createDataset({ id: 'ntp' })
})
afterAll(async () => {
  await fake.close()
  await later.close()
  await files.remove()
  storage.close()
})

/** The errors of a load; empty where it worked. */
async function errorsOf(load: object, path: string, on = fake) {
  const response = await multipart(on, { configuration: { load } }, path)
  const { jobReference } = (await response.json()) as { jobReference: { jobId: string } }
  await on.release(jobReference.jobId)
  return (await on.jobs()).find(({ jobId }) => jobId === jobReference.jobId)!.errors
}

function withField(changed: Partial<TableField> & { readonly name: string }): TableField[] {
  return rowFields.map((field) => (field.name === changed.name ? { ...field, ...changed } : field))
}

describe('the table that a load makes', () => {
  test('has TIMESTAMP for timestamp-micros only with useAvroLogicalTypes', async () => {
    const path = await files.write(rowsFrom(1, 3))
    await errorsOf(loadOf('logical'), path)
    await errorsOf(loadOf('plain', { useAvroLogicalTypes: false }), path)
    const [logical] = await clientOf(fake).dataset('ntp').table('logical').getMetadata()
    const [plain] = await clientOf(fake).dataset('ntp').table('plain').getMetadata()
    expect(logical.schema.fields).toEqual(rowFields)
    expect(plain.schema.fields).toEqual(withField({ name: 'ts', type: 'INTEGER' }))
    expect(logical.numRows).toBe('3')
    expect(await fake.rowsOf('ntp', 'plain')).toEqual(await fake.rowsOf('ntp', 'logical'))
  })

  test('is not made with CREATE_NEVER', async () => {
    const path = await files.write(rowsFrom(1, 3))
    expect(await errorsOf(loadOf('never', { createDisposition: 'CREATE_NEVER' }), path)).toEqual([
      { reason: 'notFound', message: 'Not found: Table test-project:ntp.never' },
    ])
  })
})

describe('schemaUpdateOptions', () => {
  const options = ['ALLOW_FIELD_ADDITION', 'ALLOW_FIELD_RELAXATION']
  const append = { writeDisposition: 'WRITE_APPEND', createDisposition: 'CREATE_NEVER' }

  test.each([
    ['ALLOW_FIELD_ADDITION', rowFields.slice(0, 3), 'Cannot add fields (field: error)'],
    [
      'ALLOW_FIELD_RELAXATION',
      withField({ name: 'error', mode: 'REQUIRED' }),
      'Field error has changed mode from REQUIRED to NULLABLE',
    ],
  ])('%s changes the table with the load that needs it, and no other', async (option, fields, refusal) => {
    const table = `updates_${option}`
    await fake.createTable('ntp', table, fields)
    const path = await files.write(rowsFrom(1, 3))
    const others = options.filter((other) => other !== option)
    const [error] = await errorsOf(loadOf(table, { ...append, schemaUpdateOptions: others }), path)
    expect(error?.message).toContain(refusal)
    const again = await files.write(rowsFrom(1, 3))
    expect(await errorsOf(loadOf(table, { ...append, schemaUpdateOptions: [option] }), again)).toEqual([])
    const [found] = await clientOf(fake).dataset('ntp').table(table).getMetadata()
    expect(found.schema.fields).toEqual(rowFields)
    expect(await fake.rowsOf('ntp', table)).toHaveLength(3)
  })

  test('adds no REQUIRED column', async () => {
    await fake.createTable('ntp', 'required', rowFields.slice(1))
    const [error] = await errorsOf(
      loadOf('required', { ...append, schemaUpdateOptions: options }),
      await files.write(rowsFrom(1, 1)),
    )
    expect(error?.message).toContain('Cannot add fields (field: id)')
  })

  test('need WRITE_APPEND', async () => {
    const load = loadOf('truncated', { writeDisposition: 'WRITE_TRUNCATE', schemaUpdateOptions: options })
    const response = await multipart(fake, { configuration: { load } }, await files.write(rowsFrom(1, 1)))
    expect(response.status).toBe(400)
  })
})

describe('a load that does not fit the table', () => {
  const cases: [string, readonly TableField[], string][] = [
    ['type', withField({ name: 'ts', type: 'INTEGER' }), 'Field ts has changed type from INTEGER to TIMESTAMP'],
    ['mode', withField({ name: 'error', mode: 'REQUIRED' }), 'Field error has changed mode from REQUIRED to NULLABLE'],
    ['unknown', rowFields.slice(0, 3), 'Cannot add fields (field: error)'],
    [
      'missing',
      [...rowFields, { name: 'more', type: 'STRING', mode: 'REQUIRED' }],
      'Field more is missing in new schema',
    ],
  ]
  test.each(cases)('%s', async (name, fields, why) => {
    await fake.createTable('ntp', `misfit_${name}`, fields)
    expect(await errorsOf(loadOf(`misfit_${name}`), await files.write(rowsFrom(1, 3)))).toEqual([
      { reason: 'invalid', message: `Provided Schema does not match Table test-project:ntp.misfit_${name}. ${why}` },
    ])
    expect(await fake.countOf('ntp', `misfit_${name}`)).toBe(0)
  })

  test('required values fit nullable columns, and a nullable column may be missing', async () => {
    const nullable = rowFields.map((field) => ({ ...field, mode: 'NULLABLE' as const }))
    await fake.createTable('ntp', 'wide', [...nullable, { name: 'warning', type: 'STRING' }])
    expect(await errorsOf(loadOf('wide'), await files.write(rowsFrom(1, 3)))).toEqual([])
    expect(await fake.rowsOf('ntp', 'wide')).toMatchObject([{ id: 1n, warning: null }, { id: 2n }, { id: 3n }])
  })
})

describe('a file that is damaged', () => {
  test.each(['now', 'later'])('at its end, decoding %s', async (decode) => {
    const on = decode === 'now' ? fake : later
    const path = await files.write(rowsFrom(1, 5000))
    await truncate(path, (await readFile(path)).length - 5)
    const [error] = await errorsOf(loadOf('truncated'), path, on)
    expect(error).toMatchObject({ reason: 'invalid', message: expect.stringContaining('Apache Avro library failed') })
    expect(await on.countOf('ntp', 'truncated')).toBe(0)
  })

  test('in the middle of a value', async () => {
    const path = await files.write([{ id: 1, ts: 2, score: 3, error: 'text' }])
    const bytes = await readFile(path)
    // The length of the text, before its last four letters and the sync marker.
    bytes[bytes.length - 16 - 5] = 120
    await writeFile(path, bytes)
    const [error] = await errorsOf(loadOf('broken'), path)
    expect(error).toMatchObject({ reason: 'invalid' })
    expect(await fake.countOf('ntp', 'broken')).toBe(0)
  })
})

describe('from Cloud Storage', () => {
  test('objects are fetched, all of them or none', async () => {
    objects.set('/storage/v1/b/bucket/o/spool%2Fa.avro?alt=media', await readFile(await files.write(rowsFrom(1, 10))))
    objects.set('/storage/v1/b/bucket/o/b.avro?alt=media', await readFile(await files.write(rowsFrom(11, 10))))
    const client = clientOf(fake)
    const load = (uris: string[]) => ({
      configuration: { load: loadOf('objects', { sourceUris: uris }), labels: { a: 'b' } },
    })
    const [missing] = await client.createJob(load(['gs://bucket/b.avro', 'gs://bucket/none.avro']))
    expect((await ended(missing)).status.errorResult.message).toBe('Not found: URI gs://bucket/none.avro')
    expect(await fake.countOf('ntp', 'objects')).toBe(0)

    const [job] = await client.createJob({
      ...load(['gs://bucket/spool/a.avro', 'gs://bucket/b.avro']),
      jobId: 'objects',
    })
    const { statistics, configuration } = await ended(job)
    expect(statistics.load).toMatchObject({ inputFiles: '2', outputRows: '20' })
    expect(configuration.labels).toEqual({ a: 'b' })
    expect(await fake.countOf('ntp', 'objects')).toBe(20)
  })
})

test('decoding can wait: the rows are counted by the blocks until they are asked for', async () => {
  const path = await files.write(rowsFrom(1, 5000))
  expect(await errorsOf(loadOf('later'), path, later)).toEqual([])
  expect((await later.jobs()).at(-1)?.outputRows).toBe(5000)
  const [metadata] = await clientOf(later).dataset('ntp').table('later').getMetadata()
  expect(metadata.numRows).toBe('5000')
  expect(await later.countOf('ntp', 'later')).toBe(5000)
})

test('a file without rows is a load of none', async () => {
  expect(await errorsOf(loadOf('empty'), await files.write([]))).toEqual([])
  expect(await fake.rowsOf('ntp', 'empty')).toEqual([])
})
