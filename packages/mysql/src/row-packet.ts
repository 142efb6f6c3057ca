import { RowError } from '@archiver/core'
import type { QueryError } from 'mysql2'
import type { ChunkWriter, SourceRow } from './chunk-writer.js'
import type { RowPacket } from './row-values.js'

/** A column of a result, as far as its form goes. */
interface Field {
  readonly columnType: number
  readonly flags: number
  readonly characterSet: number
  /** As the driver calls the character set. */
  readonly encoding: string
}

/** A statement of the driver that is about to read rows, as `connection.execute()` returns it. */
export interface RowStatement {
  on(event: 'result', listener: (row: SourceRow) => void): unknown
  on(event: 'error', listener: (error: QueryError) => void): unknown
  on(event: 'end', listener: () => void): unknown
  /** The driver's own: asked once, when the columns are known, for a class whose `next` is given each row. */
  buildParserFromFields(fields: readonly Field[], connection: unknown): unknown
}

// Column types, flags and character sets of the protocol (MySQL's "Protocol::ColumnType", "Column Definition Flags").
const [LONG, DOUBLE, LONGLONG, INT24, JSON_TYPE] = [0x03, 0x05, 0x08, 0x09, 0xf5]
const TEXTS = [0xf9, 0xfa, 0xfb, 0xfc, 0xfd]
const [UNSIGNED, BINARY] = [0x20, 63]

const isUnsigned = (type: number) => (field: Field) => field.columnType === type && (field.flags & UNSIGNED) !== 0
const isSigned = (types: readonly number[]) => (field: Field) =>
  types.includes(field.columnType) && (field.flags & UNSIGNED) === 0
const isDouble = (field: Field) => field.columnType === DOUBLE
/** MySQL's JSON comes as UTF-8 and says of itself that it is binary. MariaDB's is a text like any other. */
const isJson = (field: Field) => field.columnType === JSON_TYPE

/** In the order of `SourceRow`. */
const usual: readonly ((field: Field) => boolean)[] = [
  isUnsigned(LONGLONG),
  isUnsigned(LONG),
  isUnsigned(LONG),
  isSigned([LONGLONG]),
  isDouble,
  isDouble,
  isDouble,
  isSigned([INT24, LONG]),
  (field) => isJson(field) || (TEXTS.includes(field.columnType) && field.characterSet !== BINARY),
]

/** Whether rows of these columns are as `ChunkWriter.addPacket` reads them: those of a table like the pool's own. */
export function isUsualForm(fields: readonly Field[]): boolean {
  return fields.length === usual.length && usual.every((fits, i) => fits(fields[i]!))
}

/** As the driver calls it. */
function encodingOf(field: Field): string {
  return isJson(field) ? 'utf8' : field.encoding
}

/** Stands in for the parser that the driver makes for a statement: it puts the rows into a chunk and makes none itself. */
class DirectRows {
  private readonly writer: ChunkWriter
  private readonly encoding: string
  private readonly fail: (error: unknown) => void
  private failed = false

  constructor(writer: ChunkWriter, encoding: string, fail: (error: unknown) => void) {
    this.writer = writer
    this.encoding = encoding
    this.fail = fail
  }

  next(packet: RowPacket): void {
    if (this.failed) return
    try {
      this.writer.addPacket(packet, this.encoding)
    } catch (error) {
      if (error instanceof RowError) this.writer.refuse(error)
      else this.end(error)
    }
  }

  private end(error: unknown): void {
    this.failed = true
    this.fail(error)
  }
}

/**
 * Puts the rows of a statement into a chunk: straight from their packets where their form is the usual one, otherwise by way
 * of the driver's own values. A row that no chunk can hold does not end the statement: see `ChunkWriter.unfit`.
 *
 * @param done - called once the last row is in, or with what went wrong.
 */
export function rowsInto(statement: RowStatement, writer: ChunkWriter, done: (failure?: unknown) => void): void {
  let failure: unknown = new Error('the rows came past their parser') // the driver no longer asks for one
  const fail = (error: unknown): void => {
    failure ??= error
  }
  const ownParser = statement.buildParserFromFields
  statement.buildParserFromFields = (fields, connection) => {
    failure = undefined
    if (isUsualForm(fields)) return DirectRows.bind(undefined, writer, encodingOf(fields.at(-1)!), fail)
    statement.on('result', (row) => {
      if (failure === undefined) add(row, writer, fail)
    })
    return ownParser.call(statement, fields, connection)
  }
  statement.on('error', done)
  statement.on('end', () => done(failure))
}

function add(row: SourceRow, writer: ChunkWriter, fail: (error: unknown) => void): void {
  try {
    writer.add(row)
  } catch (error) {
    if (error instanceof RowError) writer.refuse(error)
    else fail(error)
  }
}
