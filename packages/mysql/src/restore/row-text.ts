import { type Attributes, attributesJson, DAY_SECONDS, type LogScoreChunk } from '@archiver/core'

/** The columns that are written, in this order. */
export const writtenColumns = [
  'id',
  'monitor_id',
  'server_id',
  'ts',
  'score',
  'step',
  'offset',
  'rtt',
  'attributes',
] as const

/** How a statement takes rows as text. */
export interface TextForm {
  readonly null: string
  /** Before, between and after the columns of a row. */
  readonly start: string
  readonly between: string
  readonly end: string
  quote(text: string): string
  /** Of a number as JavaScript prints it: with as few digits as tell it from its neighbours, which the server reads back exactly. */
  double(digits: string): string
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' }

/** LOAD DATA: columns end with a tab, rows with a newline. */
export const loadForm: TextForm = {
  null: '\\N',
  start: '',
  between: '\t',
  end: '\n',
  quote: (text) => text.replace(/[\\\t\n\r\0]/g, (letter) => escapes[letter]!),
  double: (digits) => digits,
}

/** The values of an INSERT, a comma after each row. An exponent makes a number a double, not a decimal. */
export const insertForm: TextForm = {
  null: 'null',
  start: '(',
  between: ',',
  end: '),',
  // What could need an escape goes as its bytes: escapes depend on the SQL mode.
  quote: (text) => (/^[\w :.-]*$/.test(text) ? `'${text}'` : `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`),
  double: (digits) => (digits.includes('e') ? digits : `${digits}e0`),
}

/** An archive that is not exact keeps NULL as 0, which no monitor has as its id. */
export function hasNoMonitor({ monitorId, monitorIdNull, exact = false }: LogScoreChunk, i: number): boolean {
  return monitorIdNull[i] !== 0 || (monitorId[i] === 0 && !exact)
}

/**
 * Rows of a chunk as text, in pieces of at least `pieceLength` characters, but for the last.
 *
 * @param wanted - 1 for each row that is to be written.
 */
export function* rowTexts(
  chunk: LogScoreChunk,
  wanted: Uint8Array,
  form: TextForm,
  pieceLength: number,
): Generator<string> {
  const row = rowTextOf(chunk, form)
  let piece = ''
  for (let i = 0; i < chunk.rows; i++) {
    if (wanted[i] === 0) continue
    piece += row(i)
    if (piece.length < pieceLength) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

function rowTextOf(chunk: LogScoreChunk, form: TextForm): (row: number) => string {
  const { monitorId, serverId, tsSeconds, score, step, offset, offsetNull, rtt, rttNull } = chunk
  const { null: none, start, between: b, end, double } = form
  const halves = new Uint32Array(chunk.id.buffer, chunk.id.byteOffset, chunk.rows * 2)
  const texts = chunk.dictionary.map((entry) => attributesText(entry, chunk.exact ?? false, form))
  const isoOf = new TimeText(form)
  return (i) => {
    const high = halves[2 * i + 1]!
    const id = high < 2 ** 21 ? high * 2 ** 32 + halves[2 * i]! : chunk.id[i]!
    // Where the archive has no NULL, 0 is what it made of one: no monitor has this id.
    const noMonitor = hasNoMonitor(chunk, i)
    const known = offsetNull[i] === 0
    return (
      `${start}${id}${b}${noMonitor ? none : monitorId[i]!}${b}${serverId[i]!}${b}${isoOf.text(tsSeconds[i]!)}${b}` +
      `${double(digits(score[i]!))}${b}${double(digits(step[i]!))}${b}${known ? double(digits(offset[i]!)) : none}${b}` +
      `${rttNull[i] === 0 ? rtt[i]! : none}${b}${texts[chunk.attributes[i]!]!}${end}`
    )
  }
}

/** String(-0) is 0. */
function digits(value: number): string {
  return value === 0 && 1 / value < 0 ? '-0' : String(value)
}

/** The column's own text, or what its meaning makes: see `attributesJson`. */
function attributesText(entry: Attributes, exact: boolean, form: TextForm): string {
  const text = exact && entry.json !== undefined ? entry.json : attributesJson(entry)
  return text === null ? form.null : form.quote(text)
}

const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))

/** Times as text; rows mostly share the second, and nearly always the day, of the row before. */
class TimeText {
  private readonly form: TextForm
  private seconds = -1
  private last = ''
  private day = -1
  private date = ''

  constructor(form: TextForm) {
    this.form = form
  }

  text(seconds: number): string {
    if (seconds !== this.seconds) {
      this.seconds = seconds
      this.last = this.form.quote(this.compose(seconds))
    }
    return this.last
  }

  private compose(seconds: number): string {
    const day = Math.floor(seconds / DAY_SECONDS)
    if (day !== this.day) {
      this.day = day
      this.date = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10)
    }
    const second = seconds - day * DAY_SECONDS
    const [hours, minutes] = [Math.floor(second / 3600), Math.floor(second / 60) % 60]
    return `${this.date} ${twoDigits[hours]}:${twoDigits[minutes]}:${twoDigits[second % 60]}`
  }
}
