import { type LogScore, type LogScoreChunk, type Permit, type PlannedBatch, rowsFromChunk } from '@archiver/core'
import { describe, expect, it } from 'vitest'
import { checks, describeArchiver, runCheck } from './describe-archiver.js'
import { MemoryArchiver } from './memory-archiver.js'
import type { ConformanceSubject } from './subject.js'

type Make = new (rows: Map<bigint, LogScore>) => MemoryArchiver

function memorySubject(Adapter: Make): ConformanceSubject {
  const tables = new Map<string, Map<bigint, LogScore>>()
  const rowsOf = (table: string) => {
    const rows = tables.get(table) ?? new Map<bigint, LogScore>()
    tables.set(table, rows)
    return rows
  }
  return {
    open: async (table) => new Adapter(rowsOf(table)),
    read: async (table) => [...rowsOf(table).values()],
    wholeBatches: true,
  }
}

describeArchiver('the archiver in memory', memorySubject(MemoryArchiver))

class KeepsReferences extends MemoryArchiver {
  override async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit) {
    const kept: LogScoreChunk[] = []
    for await (const chunk of chunks) kept.push(chunk)
    return super.store(batch, toAsync(kept), permit)
  }
}

class StoresAsItGoes extends MemoryArchiver {
  override async store(_batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit) {
    let rows = 0
    for await (const chunk of chunks) {
      permit.check()
      for (const row of rowsFromChunk(chunk)) this.rows.set(row.id, row)
      rows += chunk.rows
    }
    return { rows, bytes: 49 * rows, identity: 'one for all' }
  }
}

class GuessesStored extends MemoryArchiver {
  override async stored() {
    return { kind: 'none' as const }
  }
}

class IgnoresPermit extends MemoryArchiver {
  override store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>) {
    return super.store(batch, chunks, { signal: new AbortController().signal, check() {} })
  }
}

class LosesPrecision extends MemoryArchiver {
  override async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, permit: Permit) {
    const result = await super.store(batch, chunks, permit)
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
    ['rows visible before the batch is whole', StoresAsItGoes, /permit that ends midway/],
    ['one identity for two batches', StoresAsItGoes, /batch after batch/],
    ['a stored() that guesses', GuessesStored, /newly started process/],
    ['an adapter that goes on without leave', IgnoresPermit, /after the last row: store\(\) does not commit/],
    ['ids that were rounded', LosesPrecision, /2\^53/],
  ]
  it.each(broken)('%s', async (_, Adapter, name) => {
    const check = checks.find((candidate) => name.test(candidate.name))!
    await expect(runCheck(check, memorySubject(Adapter))).rejects.toThrow()
  })
})
