import { describeArchiver } from '@archiver/conformance'
import { MemoryArchiver, memoryOf } from './memory-archiver.js'

describeArchiver('rows in memory', {
  open: async (table) => new MemoryArchiver(memoryOf(table)),
  read: async (table) => [...memoryOf(table).values()],
  wholeBatches: true,
})
