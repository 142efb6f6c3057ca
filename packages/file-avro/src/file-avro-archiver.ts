import { basename, join } from 'node:path'
import {
  AvroArchiveReader,
  bytesPerRow,
  type Codec,
  fileNameOf,
  heldRows,
  metadataOf,
  type SchemaVersion,
  sweepTemporary,
  syncMarkerOf,
  TemporaryFile,
  temporaryName,
  writeLogScores,
} from '@archiver/avro'
import {
  ArchiverError,
  type BatchPolicy,
  type BatchSource,
  type ErrorPlace,
  faultPoint,
  type Lease,
  type LogScoreChunk,
  type PlannedBatch,
  placeOf,
  type ReadableArchiver,
  type StoredRows,
  type StoreResult,
} from '@archiver/core'
import { filesFor } from './existing-file.js'
import { type Folder, type OpenFolder, requireFolder, requireSpace, requireWritable, syncFolder } from './folder.js'
import { writeError } from './fs-errors.js'
import { defaultBatch, type FileAvroOptions } from './options.js'
import { publish } from './publish.js'
import { FolderShelf } from './shelf.js'

/** The file is partly written, is whole and synced, has its name. */
declare module '@archiver/core' {
  interface FaultPoints {
    'file.written': true
    'file.synced': true
    'file.published': true
  }
}

/** Archives a source table as Avro files in a folder, one file a batch. */
export function createFileAvroArchiver(options: FileAvroOptions): ReadableArchiver {
  return new FileAvroArchiver(options)
}

/** The same over a file system of which a test opens the folders. */
export function createWithFolders(options: FileAvroOptions, openFolder: OpenFolder): ReadableArchiver {
  return new FileAvroArchiver(options, openFolder)
}

class FileAvroArchiver implements ReadableArchiver {
  readonly name = 'fileavro'
  encodedMs = 0
  readonly policy: BatchPolicy
  readonly reader: AvroArchiveReader
  readonly #folder: Folder
  readonly #createPath: boolean
  readonly #scope: string
  readonly #warnings: ArchiverError[] = []
  readonly #openFolder: OpenFolder | undefined
  readonly #format: { readonly schema: SchemaVersion; readonly codec: Codec; readonly rowsPerBlock: number }

  constructor(options: FileAvroOptions, openFolder?: OpenFolder) {
    this.#openFolder = openFolder
    this.policy = { ...defaultBatch, ...options.batch }
    this.#folder = { path: options.path, pathName: options.pathName ?? 'avro_path' }
    this.reader = new AvroArchiveReader(new FolderShelf(options.path))
    this.#createPath = options.createPath ?? false
    this.#scope = options.scope ?? 'archiver'
    const { schema = 1, codec = 'null', rowsPerBlock = 50_000 } = options
    this.#format = { schema, codec, rowsPerBlock }
  }

  validate(): Promise<void> {
    return requireFolder(this.#folder, this.#createPath)
  }

  async prepare(table: string): Promise<void> {
    await this.validate()
    await sweepTemporary(this.#folder.path, this.#scope, table)
    await requireWritable(this.#folder, this.#scope, table)
  }

  async store(batch: PlannedBatch, chunks: AsyncIterable<LogScoreChunk>, lease: Lease): Promise<StoreResult> {
    lease.assertHeld()
    const place = placeOf(batch)
    const mostRows = Math.min(Number(batch.upToId - batch.firstId) + 1, this.policy.maxRows)
    await requireSpace(this.#folder, mostRows * bytesPerRow[this.#format.schema], place)
    await using file = await this.#temporaryFile(batch, place)
    const options = { ...this.#format, metadata: metadataOf(batch), sync: syncMarkerOf(batch) }
    const written = await writeLogScores(
      chunks,
      (bytes) => this.#guarded(place, lease, () => file.write(bytes).then(() => faultPoint('file.written'))),
      options,
    )
    this.encodedMs += written.encodeMs
    if (!written.first) return { rows: 0, bytes: 0, identity: '' }
    await this.#guarded(place, lease, () => file.finish())
    const path = join(this.#folder.path, fileNameOf(written.first))
    const bytes = await this.#guarded(place, lease, async () => {
      await faultPoint('file.synced')
      return publish(file.path, path, batch)
    })
    await faultPoint('file.published')
    const warning = await this.#named(place, () => syncFolder(this.#folder.path, this.#openFolder))
    if (warning !== undefined) this.#warnings.push(warning)
    const dropped = written.warningsDropped
    const result = { rows: written.rows, bytes, identity: basename(path) }
    return dropped > 0 ? { ...result, conversions: { warningDropped: dropped } } : result
  }

  async findStored(batch: PlannedBatch, source: BatchSource, lease: Lease): Promise<StoredRows> {
    const { path } = this.#folder
    return heldRows({ archive: path, files: await filesFor(path, batch), batch, source, lease })
  }

  takeWarnings(): readonly ArchiverError[] {
    return this.#warnings.splice(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #temporaryFile({ table, id }: PlannedBatch, place: ErrorPlace): Promise<TemporaryFile> {
    const path = join(this.#folder.path, temporaryName(this.#scope, table, id))
    return this.#named(place, () => TemporaryFile.create(path))
  }

  /** Does a step of the write if there is leave to; whatever the file system answers becomes an error that says where. */
  #guarded<T>(place: ErrorPlace, lease: Lease, step: () => Promise<T>): Promise<T> {
    lease.assertHeld()
    return this.#named(place, step)
  }

  async #named<T>(place: ErrorPlace, step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (thrown) {
      if (thrown instanceof ArchiverError) throw thrown
      throw writeError(thrown, `${this.#folder.pathName}: ${this.#folder.path}`, place)
    }
  }
}
