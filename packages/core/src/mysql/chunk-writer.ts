import { parseAttributes } from '../attributes.js'
import { allocateChunk } from '../chunk.js'
import { RowError } from '../errors.js'
import type { Attributes, LogScoreChunk } from '../types.js'

/**
 * One row as mysql2 hands it over: id, monitor_id, server_id, seconds since 1970, score, step, offset, rtt,
 * attributes. Ids beyond 2^53-1 come as strings.
 */
export type SourceRow = readonly [
  number | string,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  string | null,
]

const MAX_TS_SECONDS = 0xffff_ffff
/** Distinct attribute texts that are remembered; beyond that all are forgotten, so that memory stays bounded. */
const MAX_KNOWN_ATTRIBUTES = 4096

interface KnownAttributes {
  readonly value: Attributes
  /** The chunk whose dictionary has it at `index`. */
  chunk: number
  index: number
}

/** Attribute texts parsed once each, and their index in the dictionary of the chunk that is being filled. */
export class AttributeCache {
  private readonly known = new Map<string | null, KnownAttributes>()
  private chunk = 0
  private dictionary: Attributes[] = []
  /** What the row before had: most rows have none, and so the same. */
  private lastJson: string | null | undefined
  private lastIndex = 0
  private readonly exact: boolean

  /** @param exact - the texts are those of the column: they are kept beside what they mean. */
  constructor(exact = false) {
    this.exact = exact
  }

  /** Starts the dictionary of another chunk. */
  startChunk(): Attributes[] {
    this.chunk += 1
    this.dictionary = []
    this.lastJson = undefined
    return this.dictionary
  }

  /** The index of these attributes in the current dictionary. */
  index(json: string | null, id: number | string): number {
    if (json === this.lastJson) return this.lastIndex
    this.lastIndex = this.indexOf(json, id)
    this.lastJson = json
    return this.lastIndex
  }

  private indexOf(json: string | null, id: number | string): number {
    const known = this.known.get(json) ?? this.learn(json, id)
    if (known.chunk !== this.chunk) {
      known.chunk = this.chunk
      known.index = this.dictionary.push(known.value) - 1
    }
    return known.index
  }

  private learn(json: string | null, id: number | string): KnownAttributes {
    const parsed = parseAttributes(json)
    if (typeof parsed === 'string') throw new RowError(BigInt(id), 'attributes', parsed)
    if (this.known.size >= MAX_KNOWN_ATTRIBUTES) this.known.clear()
    const entry = { value: this.exact ? { ...parsed, json } : parsed, chunk: 0, index: 0 }
    this.known.set(json, entry)
    return entry
  }
}

/** Fills the columns of one chunk row by row; used again and again. */
export class ChunkWriter {
  private readonly columns: ReturnType<typeof allocateChunk>
  /** The id column as halves, low first (Node runs on little-endian machines only): no BigInt is made for each row. */
  private readonly idHalves: Uint32Array
  private readonly attributes: AttributeCache
  private dictionary: readonly Attributes[] = []
  private count = 0
  private last: number | string = 0

  constructor(capacity: number, attributes: AttributeCache) {
    this.columns = allocateChunk(capacity)
    this.idHalves = new Uint32Array(this.columns.id.buffer)
    this.attributes = attributes
  }

  start(): void {
    this.count = 0
    this.dictionary = this.attributes.startChunk()
  }

  get rows(): number {
    return this.count
  }

  /** The id of the newest row, as the driver gave it. */
  get lastId(): number | string {
    return this.last
  }

  /** The rows written since {@link start}. */
  get chunk(): LogScoreChunk {
    return { ...this.columns, rows: this.count, dictionary: this.dictionary }
  }

  /** @throws RowError when a value cannot be in a chunk. */
  add(row: SourceRow): void {
    const columns = this.columns
    const i = this.count
    const id = row[0]
    const monitorId = row[1]
    const offset = row[6]
    const rtt = row[7]
    if (typeof id === 'number') {
      const low = id >>> 0
      this.idHalves[2 * i] = low
      this.idHalves[2 * i + 1] = (id - low) / 0x1_0000_0000
    } else columns.id[i] = BigInt(id)
    columns.monitorId[i] = monitorId ?? 0
    columns.monitorIdNull[i] = monitorId === null ? 1 : 0
    columns.serverId[i] = row[2] ?? missing(id, 'server_id')
    columns.tsSeconds[i] = tsSeconds(id, row[3])
    columns.score[i] = row[4] ?? missing(id, 'score')
    columns.step[i] = row[5] ?? missing(id, 'step')
    columns.offset[i] = offset ?? 0
    columns.offsetNull[i] = offset === null ? 1 : 0
    columns.rtt[i] = rtt ?? 0
    columns.rttNull[i] = rtt === null ? 1 : 0
    columns.attributes[i] = this.attributes.index(row[8], id)
    this.last = id
    this.count = i + 1
  }
}

function missing(id: number | string, column: string): never {
  throw new RowError(BigInt(id), column, 'is NULL')
}

function tsSeconds(id: number | string, seconds: number | null): number {
  if (seconds === null) throw new RowError(BigInt(id), 'ts', 'is NULL or a zero date')
  if (seconds < 0 || seconds > MAX_TS_SECONDS)
    throw new RowError(BigInt(id), 'ts', 'is not between 1970 and 2106-02-07')
  return seconds
}
