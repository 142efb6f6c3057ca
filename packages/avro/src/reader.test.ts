import { join } from 'node:path'
import { ordinaryRows } from '@archiver/conformance'
import { ArchiverError } from '@archiver/core'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { codecs } from './codec.js'
import { archivedRow } from './convert.js'
import { encodeHeader } from './header.js'
import { readAvroHeader, readLogScores } from './reader.js'
import { logScoreSchema } from './schema.js'
import { fileOf, fixtures, goRows, pieces, rowsOf, sync } from './test-support.js'

const rows = ordinaryRows(100)
const expected = rows.map(archivedRow)

function read(file: Buffer) {
  return rowsOf(readLogScores(pieces(file)))
}

async function errorOf(promise: Promise<unknown>): Promise<ArchiverError> {
  const thrown = await promise.then(
    () => new Error('it did not reject'),
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ArchiverError)
  // Just asserted.
  return thrown as ArchiverError
}

test('reads the rows of the Go program', async () => {
  const path = join(fixtures, '1792454400-1000001.avro')
  expect(await rowsOf(readLogScores(path))).toEqual((await goRows()).map(archivedRow))
  expect(await readAvroHeader(path)).toMatchObject({ codec: 'null', metadata: {} })
})

test('our file of the same rows holds the same rows', async () => {
  const source = await goRows()
  expect(await read(await fileOf(source))).toEqual(source.map(archivedRow))
})

test.each([1, 2, 3, 1000])('takes the file in pieces of %i bytes', async (length) => {
  const file = await fileOf(rows, { rowsPerBlock: 30, codec: 'snappy' })
  expect(await rowsOf(readLogScores(pieces(file, length), { rowsPerChunk: 7 }))).toEqual(expected)
})

test('reads the header alone', async () => {
  const metadata = { 'archiver.table': 'log_scores', 'archiver.note': 'für später' }
  const file = await fileOf(rows, { codec: 'zstandard', metadata })
  const header = await readAvroHeader(pieces(file))
  expect(header).toMatchObject({ schema: logScoreSchema, codec: 'zstandard', metadata })
  expect(Buffer.from(header.sync)).toEqual(sync)
  expect(file.subarray(header.bytes - 16, header.bytes)).toEqual(sync)
})

describe('a file cut short', () => {
  test('anywhere but between two blocks is truncated, and says where', async () => {
    const file = await fileOf(rows.slice(0, 20), { rowsPerBlock: 10 })
    const whole = new Set([file.length])
    for (let end = file.indexOf(sync); end >= 0; end = file.indexOf(sync, end + 1)) whole.add(end + 16)
    expect(whole.size).toBe(3)
    for (let length = 4; length < file.length; length++) {
      if (whole.has(length)) continue
      const { code, message } = await errorOf(read(file.subarray(0, length)))
      expect(code, `at ${length}`).toBe('AVRO_TRUNCATED')
      expect(message).toMatch(/^the Avro stream is truncated: at byte \d+, after (0|10) rows, expected .*found/)
    }
  })

  test('gives the rows of the blocks before', async () => {
    const file = await fileOf(rows, { rowsPerBlock: 30 })
    let given = 0
    const reading = (async () => {
      for await (const chunk of readLogScores(pieces(file.subarray(0, -1)))) given += chunk.rows
    })()
    expect((await errorOf(reading)).message).toContain('after 90 rows')
    expect(given).toBe(90)
  })
})

describe('a file that is something else', () => {
  test.each(['', 'O', 'Obj', 'Obj\u0002', 'PK\u0003\u0004 and more'])('%j is not an Avro file', async (text) => {
    const { code, message } = await errorOf(read(Buffer.from(text)))
    expect(code).toBe('AVRO_NOT_A_FILE')
    expect(message).toContain('expected it to begin with "Obj"')
  })

  test('another record is named', async () => {
    const type = avsc.Type.forSchema({ type: 'record', name: 'other', fields: [{ name: 'id', type: 'string' }] })
    const file = await new Promise<Buffer>((resolve) => {
      const encoder = new avsc.streams.BlockEncoder(type)
      const parts: Buffer[] = []
      encoder.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)))
      encoder.end({ id: 'x' })
    })
    const { code, message } = await errorOf(read(file))
    expect(code).toBe('AVRO_SCHEMA_FOREIGN')
    expect(message).toMatch(/the field id is string, long is expected; the field server_id is missing/)
    expect(await readAvroHeader(pieces(file))).toMatchObject({ schema: { name: 'other' } })
  })

  describe('a file of other fields is refused by their names', () => {
    const { fields } = logScoreSchema
    type Field = Readonly<Record<string, unknown>>
    const changed = (name: string, type: unknown): Field[] =>
      fields.map((field) => (field.name === name ? { ...field, type } : { ...field }))
    const ts = (logicalType: string) => changed('ts', { type: 'long', logicalType })

    test.each<[string, readonly Field[]]>([
      ['the field ts has the logical type timestamp-millis, timestamp-micros is expected', ts('timestamp-millis')],
      ['the field ts has the logical type timestamp-nanos, timestamp-micros is expected', ts('timestamp-nanos')],
      ['the field ts has the logical type local-timestamp-micros,', ts('local-timestamp-micros')],
      [
        'the field rtt has the logical type time-millis, no logical type is expected',
        changed('rtt', ['null', { type: 'int', logicalType: 'time-millis' }]),
      ],
      [
        'the field id has the logical type timestamp-micros,',
        changed('id', { type: 'long', logicalType: 'timestamp-micros' }),
      ],
      ['the field server_id is long, int is expected', changed('server_id', 'long')],
      ['the field offset is [float,null], [null,float] is expected', changed('offset', ['float', 'null'])],
      ['the field country is not expected', [...fields, { name: 'country', type: 'string' }]],
      ['the field rtt is missing', fields.filter(({ name }) => name !== 'rtt')],
      [
        'the field server_id is where id is expected',
        [...fields.slice(1, 2), ...fields.slice(0, 1), ...fields.slice(2)],
      ],
    ])('%s', async (what, otherFields) => {
      const header = encodeHeader(
        { type: 'record', name: 'logscore', fields: otherFields },
        'null',
        {},
        Buffer.alloc(16),
      )
      const reading = rowsOf(readLogScores(pieces(header)))
      await expect(reading).rejects.toMatchObject({
        code: 'AVRO_SCHEMA_FOREIGN',
        message: expect.stringContaining(what),
      })
    })

    test.each<[string, readonly Field[]]>([
      ['no logical type for ts', changed('ts', 'long')],
      [
        'a logical type that the specification does not know',
        changed('rtt', ['null', { type: 'int', logicalType: 'rtt' }]),
      ],
      ['documentation and defaults', fields.map((field) => ({ ...field, doc: 'x', aliases: ['y'] }))],
    ])('%s is taken', async (_, otherFields) => {
      const header = encodeHeader({ type: 'record', name: 'other', fields: otherFields }, 'null', {}, Buffer.alloc(16))
      expect(await rowsOf(readLogScores(pieces(header)))).toEqual([])
    })
  })

  test('another codec is named', async () => {
    const file = Buffer.from((await fileOf(rows)).toString('latin1').replace('\u0008null', '\u0008lzma'), 'latin1')
    expect(await errorOf(read(file))).toMatchObject({ code: 'AVRO_CODEC_UNKNOWN' })
  })

  test('a path that does not exist is the system’s error', async () => {
    await expect(rowsOf(readLogScores('/nowhere/at/all.avro'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a damaged file', () => {
  test('a wrong sync marker says what was expected where', async () => {
    const file = await fileOf(rows, { rowsPerBlock: 50 })
    const at = file.lastIndexOf(sync)
    file[at + 3]! ^= 1
    const { code, message } = await errorOf(read(file))
    expect(code).toBe('AVRO_DAMAGED')
    expect(message).toContain(
      `at byte ${at}, after 50 rows, expected the sync marker ${sync.toString('hex')}, found 303132`,
    )
  })

  test.each(codecs)('any byte changed: rows or an ArchiverError, never anything else (%s)', async (codec) => {
    const file = await fileOf(rows.slice(0, 40), { rowsPerBlock: 20, codec })
    const { bytes } = await readAvroHeader(pieces(file))
    for (let at = bytes; at < file.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const damaged = Buffer.from(file)
        damaged[at]! ^= change
        await read(damaged).catch((thrown: unknown) => {
          expect(thrown).toBeInstanceOf(ArchiverError)
          expect(thrown).toMatchObject({
            message: expect.stringMatching(/at byte \d+, after (0|20|40) rows, expected/),
          })
        })
      }
    }
  })

  test.each([
    ['more', 41, 'after 40 rows, expected one more row, found the end of the block'],
    ['fewer', 39, 'after 39 rows, expected the end of the block, found'],
  ])('a block that counts %s rows than it holds is named', async (_, count, message) => {
    const file = await fileOf(rows.slice(0, 40))
    const { bytes } = await readAvroHeader(pieces(file))
    expect(file[bytes]).toBe(2 * 40)
    file[bytes] = 2 * count
    const reading = rowsOf(readLogScores(pieces(file), { rowsPerChunk: 1 }))
    expect(await errorOf(reading)).toMatchObject({ code: 'AVRO_DAMAGED', message: expect.stringContaining(message) })
  })

  test.each(['deflate', 'snappy', 'zstandard'] as const)('a block that %s cannot take is named', async (codec) => {
    const file = await fileOf(rows, { codec })
    const { bytes } = await readAvroHeader(pieces(file))
    file.fill(0xff, bytes + 10, bytes + 60)
    const { code, message } = await errorOf(read(file))
    expect(code).toBe('AVRO_DAMAGED')
    expect(message).toContain(`expected a block compressed with ${codec}`)
  })
})
