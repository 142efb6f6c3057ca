import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AvroPart,
  type AvroShelf,
  firstIdOf,
  firstSecondsOf,
  type RowSelection,
  readLogScores,
} from '@archiver/avro'
import { ArchiverError, type IdRange, type LogScoreChunk } from '@archiver/core'
import { endOf, readMetadata } from './existing-file.js'
import { errnoCode, readError } from './fs-errors.js'

/** What the header of a file says: of which table it is, and where its batch ends. */
interface Label {
  readonly table: string | undefined
  readonly upToId: bigint | undefined
}

/** The files of a folder. */
export class FolderShelf implements AvroShelf {
  readonly #path: string
  /** Labels of files that were seen before: a file does not change. */
  readonly #labels = new Map<string, Label>()

  constructor(path: string) {
    this.#path = path
  }

  async parts(table: string, { upToId }: IdRange, signal: AbortSignal): Promise<readonly AvroPart[]> {
    const parts: AvroPart[] = []
    for (const name of await this.#list()) {
      signal.throwIfAborted()
      const firstId = firstIdOf(name)
      if (firstId === undefined || firstId > upToId) continue
      const label = await this.#label(name)
      if (label.table !== undefined && label.table !== table) continue
      const path = join(this.#path, name)
      const firstSeconds = firstSecondsOf(name)
      const { upToId: lastId } = label
      parts.push({ name: path, firstId, firstSeconds, upToId: lastId, open: (selection) => rowsOf(path, selection) })
    }
    return parts
  }

  async names(): Promise<ReadonlySet<string>> {
    return new Set(await this.#list())
  }

  async #list(): Promise<readonly string[]> {
    try {
      return await readdir(this.#path)
    } catch (thrown) {
      if (errnoCode(thrown) === 'ENOENT') return []
      throw readError(thrown, this.#path)
    }
  }

  /** A file whose header cannot be read is taken for one of the table: reading its rows tells what is wrong with it. */
  async #label(name: string): Promise<Label> {
    const known = this.#labels.get(name)
    if (known) return known
    const path = join(this.#path, name)
    const metadata = await readMetadata(path).catch((thrown: unknown) => {
      if (thrown instanceof ArchiverError) return undefined
      throw readError(thrown, path)
    })
    if (metadata === undefined) return { table: undefined, upToId: undefined }
    const label = { table: metadata['archiver.table'], upToId: endOf(metadata) }
    this.#labels.set(name, label)
    return label
  }
}

async function* rowsOf(path: string, selection: RowSelection): AsyncGenerator<LogScoreChunk> {
  try {
    yield* readLogScores(path, selection)
  } catch (thrown) {
    throw readError(thrown, path)
  }
}
