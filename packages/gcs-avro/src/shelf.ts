import { type AvroPart, type AvroShelf, firstSecondsOf } from '@archiver/avro'
import type { IdRange } from '@archiver/core'
import type { Objects } from './objects.js'
import { endOf } from './stored-object.js'

/** The objects of a bucket, for reading back. What they hold is known from their metadata. */
export class BucketShelf implements AvroShelf {
  readonly #objects: Objects

  constructor(objects: Objects) {
    this.#objects = objects
  }

  async parts(table: string, { afterId, upToId }: IdRange, signal: AbortSignal): Promise<readonly AvroPart[]> {
    const parts: AvroPart[] = []
    for await (const object of this.#objects.list(table, signal)) {
      const end = endOf(object.metadata)
      if (object.firstId > upToId || (end !== undefined && end <= afterId)) continue
      parts.push({
        name: this.#objects.nameOf(object),
        firstId: object.firstId,
        firstSeconds: firstSecondsOf(object.name.slice(object.name.lastIndexOf('/') + 1)),
        upToId: end,
        open: (selection) => this.#objects.rows(object, signal, selection),
      })
    }
    return parts
  }

  async names(table: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const names = new Set<string>()
    for await (const { name } of this.#objects.list(table, signal)) names.add(name)
    return names
  }
}
