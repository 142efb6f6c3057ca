import { readFile } from 'node:fs/promises'
import { type Lease, type LogScore, type LogScoreChunk, type PlannedBatch, rowsFromChunk } from '@archiver/core'
import { describe, expect, it, test } from 'vitest'
import { checks, runCheck } from './describe-archiver.js'
import { MemoryArchiver, memoryOf } from './memory-archiver.js'
import type { ConformanceSubject } from './subject.js'

type Make = new (rows: Map<bigint, LogScore>) => MemoryArchiver

function memorySubject(Adapter: Make): ConformanceSubject {
  const open = async (table: string) => new Adapter(memoryOf(table))
  return { open, read: async (table) => [...memoryOf(table).values()], wholeBatches: true }
}

test('the README shows the example, which runs as a test of its own', async () => {
  const example = await readFile(`${import.meta.dirname}/example.test.ts`, 'utf8')
  expect(await readFile(`${import.meta.dirname}/../README.md`, 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\``)
})

class KeepsReferences extends MemoryArchiver {
  override async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease) {
    const kept: LogScoreChunk[] = []
    for await (const chunk of chunks) kept.push(chunk)
    return super.store(batch, toAsync(kept), lease)
  }
}

class StoresAsItGoes extends MemoryArchiver {
  override async store(_batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease) {
    let rows = 0
    for await (const chunk of chunks) {
      lease.assertHeld()
      for (const row of rowsFromChunk(chunk)) this.rows.set(row.id, row)
      rows += chunk.rows
    }
    return { rows, bytes: 49 * rows, identity: 'one for all' }
  }
}

class GuessesStored extends MemoryArchiver {
  override async findStored() {
    return { kind: 'none' as const }
  }
}

class IgnoresPermit extends MemoryArchiver {
  override store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>) {
    return super.store(batch, chunks, { signal: new AbortController().signal, assertHeld() {} })
  }
}

class LosesPrecision extends MemoryArchiver {
  override async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease) {
    const result = await super.store(batch, chunks, lease)
    for (const [id, row] of this.rows) this.rows.set(id, { ...row, id: BigInt(Number(row.id)) })
    return result
  }
}

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

describe('the suite finds', () => {
  const broken: [string, Make, RegExp][] = [
    ['an adapter that keeps references to chunks', KeepsReferences, /reuses its arrays/],
    ['rows visible before the batch is whole', StoresAsItGoes, /lease that ends midway/],
    ['one identity for two batches', StoresAsItGoes, /batch after batch/],
    ['a findStored() that guesses', GuessesStored, /newly started process/],
    ['an adapter that goes on without leave', IgnoresPermit, /after the last row: store\(\) does not commit/],
    ['ids that were rounded', LosesPrecision, /2\^53/],
  ]
  it.each(broken)('%s', async (_, Adapter, name) => {
    const check = checks.find((candidate) => name.test(candidate.name))!
    await expect(runCheck(check, memorySubject(Adapter))).rejects.toThrow()
  })
})
