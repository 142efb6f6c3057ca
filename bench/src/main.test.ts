import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeWithClickHouse, describeWithMySql } from '@archiver/testkit/vitest'
import { expect, onTestFinished, test } from 'vitest'
import { measure } from './measure.js'

await describeWithMySql('the bench', () =>
  describeWithClickHouse('with all servers', () => {
    test('the whole bench runs on few rows and measures everything', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'archiver-bench-test-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const options = { rows: 3000, flat: 5000, rounds: 2, wait: 0, json: join(folder, 'result.json') }
      const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
      const { exitCode, stdout, stderr } = await measure({
        command: process.execPath,
        args: [main, JSON.stringify(options)],
      })
      expect(stderr).toBe('')
      expect(exitCode).toBe(0)
      expect(stdout).toContain('| drain: mysql2 execute(), rows dropped |')
      const report = JSON.parse(readFileSync(options.json, 'utf8'))
      const measured = { rate: expect.any(Number), ratio: expect.any(Number), peakBytes: expect.any(Number) }
      expect(report.results).toEqual(
        [
          'drain: mysql2 execute(), rows dropped',
          'Avro file',
          'Avro file, zstandard',
          'ClickHouse server',
          'embedded ClickHouse',
        ].map((name) => expect.objectContaining({ name, ...measured })),
      )
      expect(report.others).toHaveLength(4)
      expect(report.flat.map(({ rows }: { rows: number }) => rows)).toEqual([500, 5000])
      expect(report.idle[0].loaded).toHaveProperty('@archiver/file-avro')
      expect(report.idle[0].loaded).not.toHaveProperty('@clickhouse/client')
      expect(report.idle[1].loaded).toHaveProperty('@clickhouse/client')
      expect(report.targets).toHaveLength(9)
    })
  }),
)
