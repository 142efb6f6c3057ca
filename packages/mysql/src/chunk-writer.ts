import type { Attributes, LogScoreChunk } from '@archiver/core'
import { allocateChunk, chunkColumns, parseWithUnknown, RowError } from '@archiver/core'
import type { RowPacket } from './row-values.js'
import {
  type DriverNumber,
  double,
  INT32,
  missing,
  refuseNoTime,
  refuseTime,
  textOf,
  tsSeconds,
  UINT32,
  whole,
} from './row-values.js'

/**
 * One row as mysql2 hands it over: id, monitor_id, server_id, seconds since 1970, score, step, offset, rtt,
 * attributes. Integers beyond 2^53-1 and decimals come as strings, texts without a character set as buffers.
 */
export type SourceRow = readonly [
  number | string,
  DriverNumber | null,
  DriverNumber | null,
  number | null,
  DriverNumber | null,
  DriverNumber | null,
  DriverNumber | null,
  DriverNumber | null,
  string | Buffer | null,
]

/** Distinct attribute texts that are remembered; beyond that all are forgotten, so that memory stays bounded. */
const MAX_KNOWN_ATTRIBUTES = 4096

interface KnownAttributes {
  readonly value: Attributes
  /** Keys that no archive keeps. */
  readonly unknown: readonly string[] | undefined
  /** The chunk whose dictionary has it at `index`. */
  chunk: number
  index: number
}

/** Attribute texts parsed once each, and their index in the dictionary of the chunk that is being filled. */
export class AttributeCache {
  private readonly known = new Map<string | null, KnownAttributes>()
  private chunk = 0
  private dictionary: Attributes[] = []
  private unknown: Map<number, readonly string[]> | undefined
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
    this.unknown = undefined
    this.lastJson = undefined
    return this.dictionary
  }

  /** Entries of the current dictionary with keys that no archive keeps; undefined for none. */
  get unknownKeys(): ReadonlyMap<number, readonly string[]> | undefined {
    return this.unknown
  }

  /** The index of these attributes in the current dictionary. @throws RowError naming the id of that row */
  index(json: string | null, ids: BigUint64Array, row: number): number {
    if (json === this.lastJson) return this.lastIndex
    this.lastIndex = this.indexOf(json, ids, row)
    this.lastJson = json
    return this.lastIndex
  }

  private indexOf(json: string | null, ids: BigUint64Array, row: number): number {
    const known = this.known.get(json) ?? this.learn(json, ids, row)
    if (known.chunk !== this.chunk) {
      known.chunk = this.chunk
      known.index = this.dictionary.push(known.value) - 1
      if (known.unknown !== undefined) this.noteUnknown(known.index, known.unknown)
    }
    return known.index
  }

  /** Where the text is kept beside its meaning, nothing of it is lost. */
  private noteUnknown(index: number, keys: readonly string[]): void {
    if (this.exact) return
    this.unknown ??= new Map()
    this.unknown.set(index, keys)
  }

  private learn(json: string | null, ids: BigUint64Array, row: number): KnownAttributes {
    const parsed = parseWithUnknown(json)
    if (typeof parsed === 'string') throw new RowError(ids[row]!, 'attributes', parsed)
    if (this.known.size >= MAX_KNOWN_ATTRIBUTES) this.known.clear()
    const { attributes, unknown } = parsed
    const entry = { value: this.exact ? { ...attributes, json } : attributes, unknown, chunk: 0, index: 0 }
    this.known.set(json, entry)
    return entry
  }
}

/** The columns of numbers, without the id. */
const ROW_COLUMNS = chunkColumns.filter((name) => name !== 'id' && name !== 'attributes')

const NO_VIEW = new DataView(new ArrayBuffer(0))

/** Fills the columns of one chunk row by row; used again and again. */
export class ChunkWriter {
  private readonly columns: ReturnType<typeof allocateChunk>
  /** The id column as halves, low first (Node runs on little-endian machines only): no BigInt is made for each row. */
  private readonly idHalves: Uint32Array
  private readonly attributes: AttributeCache
  private dictionary: readonly Attributes[] = []
  private readonly unknownColumns: Pick<LogScoreChunk, 'unknownColumns'>
  private refused: RowError[] = []
  private count = 0
  /** Of the buffer that the newest packet was in: one of the driver's holds some hundred rows. */
  private view: DataView = NO_VIEW
  private viewed: Buffer | undefined

  /** @param unknownColumns - columns of the source that no archive keeps. */
  constructor(capacity: number, attributes: AttributeCache, unknownColumns: readonly string[] = []) {
    this.unknownColumns = unknownColumns.length === 0 ? {} : { unknownColumns }
    this.columns = allocateChunk(capacity)
    this.idHalves = new Uint32Array(this.columns.id.buffer)
    this.attributes = attributes
  }

  start(): void {
    this.count = 0
    this.refused = []
    this.dictionary = this.attributes.startChunk()
  }

  get rows(): number {
    return this.count
  }

  /** The rows written since {@link start}. Lets go of the buffer they came in, which would grow old with this writer. */
  finish(): LogScoreChunk {
    this.view = NO_VIEW
    this.viewed = undefined
    const { unknownKeys } = this.attributes
    const unknown = unknownKeys === undefined ? this.unknownColumns : { ...this.unknownColumns, unknownKeys }
    return { ...this.columns, rows: this.count, dictionary: this.dictionary, ...unknown }
  }

  /** Why each row that {@link refuse} has taken since {@link start} fits no chunk, in the order of their ids. */
  get unfit(): readonly RowError[] {
    return this.refused
  }

  /**
   * Takes the row that {@link add} or {@link addPacket} has just refused: its id stays, every other column is 0. Whoever
   * reads the chunk must not pass this row on.
   */
  refuse(error: RowError): void {
    const { columns, count: i } = this
    columns.id[i] = error.id
    for (const name of ROW_COLUMNS) columns[name][i] = 0
    columns.attributes[i] = this.attributes.index(null, columns.id, i)
    this.refused.push(error)
    this.count = i + 1
  }

  /** @throws RowError when a value cannot be in a chunk. */
  add(row: SourceRow): void {
    const columns = this.columns
    const i = this.count
    const [id, monitorId, serverId, seconds, score, step, offset, rtt, attributes] = row
    if (typeof id === 'number') {
      const low = id >>> 0
      this.idHalves[2 * i] = low
      this.idHalves[2 * i + 1] = (id - low) / 0x1_0000_0000
    } else columns.id[i] = BigInt(id)
    columns.monitorId[i] = monitorId === null ? 0 : whole(id, 'monitor_id', monitorId, UINT32)
    columns.monitorIdNull[i] = monitorId === null ? 1 : 0
    columns.serverId[i] = whole(id, 'server_id', serverId ?? missing(id, 'server_id'), UINT32)
    columns.tsSeconds[i] = tsSeconds(id, seconds)
    columns.score[i] = double(id, 'score', score ?? missing(id, 'score'))
    columns.step[i] = double(id, 'step', step ?? missing(id, 'step'))
    columns.offset[i] = offset === null ? 0 : double(id, 'offset', offset)
    columns.offsetNull[i] = offset === null ? 1 : 0
    columns.rtt[i] = rtt === null ? 0 : whole(id, 'rtt', rtt, INT32)
    columns.rttNull[i] = rtt === null ? 1 : 0
    columns.attributes[i] = this.attributes.index(textOf(id, attributes), columns.id, i)
    this.count = i + 1
  }

  /**
   * The same from the bytes of a row in the usual form (`isUsualForm`), without a value made for each column: half the time
   * that the driver's own parser and {@link add} take together.
   *
   * @param encoding - of the text of `attributes`, as the driver calls it.
   * @throws RowError when a value cannot be in a chunk.
   */
  addPacket(packet: RowPacket, encoding: string): void {
    const { columns, idHalves, count: i } = this
    const view = this.viewOf(packet.buffer)
    const start = packet.offset
    // The row's first byte says nothing; two bits of the next are not used.
    const nulls = view.getUint16(start + 1, true) >>> 2
    if (nulls & NOT_NULL) refuseNull(view, start + 3, nulls)
    let at = start + 11
    idHalves[2 * i] = view.getUint32(start + 3, true)
    idHalves[2 * i + 1] = view.getUint32(start + 7, true)
    const monitorNull = (nulls >>> 1) & 1
    columns.monitorIdNull[i] = monitorNull
    columns.monitorId[i] = monitorNull ? 0 : view.getUint32(at, true)
    at += monitorNull ? 0 : 4
    columns.serverId[i] = view.getUint32(at, true)
    if (view.getInt32(at + 8, true) !== 0) refuseTime(columns.id[i]!, Number(view.getBigInt64(at + 4, true)))
    columns.tsSeconds[i] = view.getUint32(at + 4, true)
    columns.score[i] = view.getFloat64(at + 12, true)
    columns.step[i] = view.getFloat64(at + 20, true)
    at += 28
    const offsetNull = (nulls >>> 6) & 1
    columns.offsetNull[i] = offsetNull
    columns.offset[i] = offsetNull ? 0 : view.getFloat64(at, true)
    at += offsetNull ? 0 : 8
    const rttNull = (nulls >>> 7) & 1
    columns.rttNull[i] = rttNull
    columns.rtt[i] = rttNull ? 0 : view.getInt32(at, true)
    packet.offset = at + (rttNull ? 0 : 4)
    const text = (nulls >>> 8) & 1 ? null : packet.readLengthCodedString(encoding)
    columns.attributes[i] = this.attributes.index(text, columns.id, i)
    if (packet.offset !== packet.end) throw new Error('a row of MySQL ends elsewhere than its columns do')
    this.count = i + 1
  }

  private viewOf(buffer: Buffer): DataView {
    if (buffer !== this.viewed) {
      this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
      this.viewed = buffer
    }
    return this.view
  }
}

/** The bits of `nulls` for id, server_id, ts, score and step. */
const NOT_NULL = 0b0011_1101

function refuseNull(view: DataView, idAt: number, nulls: number): never {
  if (nulls & 1) throw new Error('a row of MySQL without an id')
  const id = view.getBigUint64(idAt, true)
  if (nulls & 4) return missing(id, 'server_id')
  if (nulls & 8) return refuseNoTime(id)
  return missing(id, nulls & 16 ? 'score' : 'step')
}
