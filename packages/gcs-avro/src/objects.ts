import { isUnreadable, type RowSelection, readAvroHeader, readLogScores } from '@archiver/avro'
import type { LogScoreChunk } from '@archiver/core'
import { googleFailure, isGoogleNotFound, requireGoogleAnswer, requireNewPage } from '@archiver/google'
import type { Connection } from './connection.js'
import { isYear, prefixOf } from './object-name.js'
import { readObject } from './read-object.js'
import { type BatchObject, batchObject, type Metadata, type StoredObject, storedObject } from './stored-object.js'

/** What of an object a listing tells; the rest would only take memory. The kind says that Google gave the answer. */
const listed = 'kind,items(name,size,generation,crc32c,metadata),prefixes,nextPageToken'

interface Page {
  readonly items: readonly unknown[]
  readonly prefixes: readonly string[]
  readonly nextPageToken: string | undefined
}

/** The objects of an archive. */
export class Objects {
  readonly connection: Connection
  readonly #defaultTable: string

  constructor(connection: Connection, defaultTable: string) {
    this.connection = connection
    this.#defaultTable = defaultTable
  }

  prefix(table: string): string {
    return prefixOf(table, this.#defaultTable)
  }

  /** Sees to it that the bucket is there and may be looked at. */
  async requireBucket(table: string, signal: AbortSignal): Promise<void> {
    await this.#page(this.prefix(table), undefined, 1, signal)
  }

  /** What is there under a name now; undefined for nothing. */
  async look(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return this.connection.ask(`cannot look at ${name}`, signal, async (bucket) => {
      try {
        const [metadata] = await bucket.file(name).getMetadata()
        return storedObject(metadata)
      } catch (thrown) {
        const failure = googleFailure(thrown)
        if (isGoogleNotFound(failure) && !/bucket does not exist/i.test(failure.why)) return undefined
        throw thrown
      }
    })
  }

  /** All objects of the table: one for each batch. */
  async *list(table: string, signal: AbortSignal): AsyncGenerator<BatchObject> {
    for (const folder of await this.#years(this.prefix(table), signal)) {
      for await (const { items } of this.#pages(folder, signal)) {
        for (const item of items) {
          const object = batchObject(storedObject(item), folder)
          if (object) yield object
        }
      }
    }
  }

  /** The rows of an object. @throws ArchiverError as `readLogScores` does, and for what the network does. */
  rows(object: StoredObject, signal: AbortSignal, selection: RowSelection = {}): AsyncIterable<LogScoreChunk> {
    return readLogScores(readObject(this.connection, object, signal), { ...selection, name: this.nameOf(object) })
  }

  /** What it says of its batch: in the custom metadata, or at the start of the file. Undefined for no Avro file. */
  async metadata(object: StoredObject, signal: AbortSignal): Promise<Metadata | undefined> {
    if (Object.keys(object.metadata).some((key) => key.startsWith('archiver.'))) return object.metadata
    try {
      return (await readAvroHeader(readObject(this.connection, object, signal), { name: this.nameOf(object) })).metadata
    } catch (thrown) {
      if (isUnreadable(thrown)) return undefined
      throw thrown
    }
  }

  /** What errors call it. */
  nameOf({ name }: StoredObject): string {
    return `${this.connection.name}/${name}`
  }

  async #years(prefix: string, signal: AbortSignal): Promise<string[]> {
    const folders: string[] = []
    for await (const { prefixes } of this.#pages(prefix, signal)) folders.push(...prefixes)
    return folders.filter((folder) => isYear(folder, prefix))
  }

  async *#pages(prefix: string, signal: AbortSignal): AsyncGenerator<Page> {
    for (let token: string | undefined; ; ) {
      const page = await this.#page(prefix, token, 1000, signal)
      yield page
      if (!page.nextPageToken) return
      token = requireNewPage(page.nextPageToken, token)
    }
  }

  /** Objects right below the prefix, and the folders there. */
  #page(prefix: string, pageToken: string | undefined, maxResults: number, signal: AbortSignal): Promise<Page> {
    return this.connection.ask(`cannot list ${prefix || 'its objects'}`, signal, async (bucket) => {
      const query = { prefix, delimiter: '/', maxResults, fields: listed, autoPaginate: false }
      const [items, , answer] = await bucket.getFiles({ ...query, ...(pageToken ? { pageToken } : {}) })
      // The library's types say nothing of the answer; with `fields` it gives the items as they came.
      const { prefixes = [], nextPageToken } = requireGoogleAnswer(answer) as Partial<Page>
      return { items, prefixes, nextPageToken }
    })
  }
}
