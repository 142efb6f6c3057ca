import { readLogScores } from '@archiver/avro'
import { edgeRows, largeIdRows, ordinaryRows } from '@archiver/conformance'
import { chunksFromRows, type LogScore, type LogScoreChunk, rowsFromChunk } from '@archiver/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCsv, encodeNdjson, type WriteOptions, writeRows } from './index.js'
import { exactChunks, exactRows, floatChunks, isoOf, textOf } from './test-support.js'

const rows: LogScore[] = [...ordinaryRows(300), ...edgeRows(), ...largeIdRows(), ...exactRows]

/** The line of JSON that a row should be, parsed. */
function jsonOf({ id, serverId, monitorId, tsSeconds, json = null, ...rest }: LogScore) {
  return {
    id: id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : String(id),
    server_id: serverId,
    monitor_id: monitorId,
    ts: isoOf(tsSeconds),
    ...rest,
    attributes: json,
  }
}

async function csvOf(row: LogScore, options: WriteOptions): Promise<string> {
  const pieces: string[] = []
  await writeRows('csv', chunksFromRows([row]), async (bytes) => pieces.push(Buffer.from(bytes).toString()), options)
  return pieces.join('')
}

describe('NDJSON', () => {
  test('is a line for each row, as JSON.parse reads it', async () => {
    const text = await textOf(encodeNdjson(chunksFromRows(rows, 64)))
    expect(text.endsWith('}\n')).toBe(true)
    const lines = text.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows.map(jsonOf))
  })

  test('has the columns in their order, and few digits for 32-bit floats', async () => {
    const [row] = ordinaryRows(1)
    const text = await textOf(encodeNdjson(floatChunks([{ ...row!, score: 0.1, offset: 0.00123, error: 'a "b"' }])))
    expect(text).toBe(
      '{"id":1000001,"server_id":1,"monitor_id":null,"ts":"2026-10-15T00:00:00Z","score":0.1,"step":-5,' +
        '"offset":0.00123,"rtt":null,"leap":1,"error":"a \\"b\\"","warning":null,"attributes":null}\n',
    )
  })

  test('floats that came from 32 bits are the same floats again', async () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true })
    const property = fc.asyncProperty(fc.array(fc.tuple(float, float, float), { minLength: 1 }), async (values) => {
      const some = values.map(([score, step, offset], i) => ({
        ...ordinaryRows(1, BigInt(i + 1))[0]!,
        score,
        step,
        offset,
      }))
      const lines = (await textOf(encodeNdjson(floatChunks(some)))).trimEnd().split('\n')
      const read = lines.map((line) => JSON.parse(line) as LogScore) // its three numbers are those of a row
      expect(read.map((row) => [row.score, row.step, row.offset].map((value) => Math.fround(value!)))).toEqual(values)
    })
    await fc.assert(property)
  })

  test('what no JSON number can be is null', async () => {
    const [row] = ordinaryRows(1)
    const text = await textOf(encodeNdjson(chunksFromRows([{ ...row!, score: Number.NaN, step: -Infinity }])))
    expect(JSON.parse(text)).toMatchObject({ score: null, step: null })
  })
})

describe('CSV', () => {
  test('has a header line, lines that end as RFC 4180 says, and quotes where they are needed', async () => {
    const [row] = ordinaryRows(2).slice(1)
    const text = await textOf(
      encodeCsv(chunksFromRows([{ ...row!, offset: null, error: 'a,"b"\nc', warning: 'plain', json: '{"leap": 0}' }])),
    )
    expect(text).toBe(
      'id,server_id,monitor_id,ts,score,step,offset,rtt,leap,error,warning,attributes\r\n' +
        '1000002,2920,2,2026-10-15T00:00:01Z,19.5,1,,1000,,"a,""b""\nc",plain,"{""leap"": 0}"\r\n',
    )
  })

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\u200b=1', '＝1', '|calc', '\n=1'])(
    'no spreadsheet runs %j where that is asked for',
    async (error) => {
      const row = { ...ordinaryRows(1)[0]!, error, warning: 'a=1', json: null }
      const [quoted, exact] = await Promise.all([true, false].map((quoteFormulas) => csvOf(row, { quoteFormulas })))
      expect(quoted).toContain(`'${error}`)
      expect(quoted).toContain(',a=1,')
      expect(exact).not.toContain("'")
      expect(exact).toContain(error)
    },
  )

  test('of no rows is the header line', async () => {
    expect(await textOf(encodeCsv(chunksFromRows([])))).toMatch(/^id,.*\r\n$/)
  })

  test('ids have all their digits, and NaN its name', async () => {
    const row = { ...ordinaryRows(1)[0]!, id: 2n ** 64n - 1n, score: Number.NaN }
    expect(await textOf(encodeCsv(chunksFromRows([row])))).toMatch(/\n18446744073709551615,.*,NaN,/)
  })
})

test('an error text longer than the buffer is written whole', async () => {
  const error = '"'.repeat(300_000)
  const long = ordinaryRows(3).map((row) => ({ ...row, error }))
  const lines = (await textOf(encodeNdjson(chunksFromRows(long)))).trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as LogScore).error)).toEqual([error, error, error])
})

describe('Avro', () => {
  async function written(chunks: AsyncIterable<LogScoreChunk>): Promise<LogScoreChunk[]> {
    const file: Buffer[] = []
    await writeRows('avro', chunks, async (bytes) => file.push(Buffer.from(bytes)))
    const read: LogScoreChunk[] = []
    for await (const chunk of readLogScores(
      (async function* () {
        yield* file
      })(),
      { rowsPerChunk: 1_000 },
    ))
      read.push(chunk)
    return read
  }

  test('of rows that lost nothing loses nothing', async () => {
    const [chunk, ...others] = await written(exactChunks(exactRows))
    expect(others).toEqual([])
    expect(chunk).toMatchObject({ exact: true })
    expect(rowsFromChunk(chunk!)).toEqual(exactRows)
  })

  test('of other rows says nothing of the kind', async () => {
    const [chunk] = await written(chunksFromRows(ordinaryRows(3)))
    expect(chunk).toMatchObject({ rows: 3, float32: ['score', 'step', 'offset'] })
    expect(chunk).not.toHaveProperty('exact')
  })

  test('of both kinds is refused, whichever comes first, and the reading ends', async () => {
    const some = ordinaryRows(3)
    for (const kinds of [
      [chunksFromRows, exactChunks],
      [exactChunks, chunksFromRows],
    ]) {
      let ended = false
      async function* both() {
        try {
          for (const [i, chunksOf] of kinds.entries()) yield* chunksOf(some.slice(i, i + 1))
          yield* chunksFromRows(some.slice(2))
        } finally {
          ended = true
        }
      }
      await expect(written(both())).rejects.toMatchObject({
        code: 'AVRO_VERSIONS_MIXED',
        message: expect.stringContaining(`row ${some[1]!.id} `),
      })
      expect(ended).toBe(true)
    }
  })
})
