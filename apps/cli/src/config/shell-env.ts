import { UnfitValue } from './problem.js'

/** What a file of shell assignments leaves behind. */
export interface ShellAssignments {
  /** By name; undefined for what `unset` removed. */
  readonly values: ReadonlyMap<string, string | undefined>
  /** Names that the file exports: a shell hands them on to the programs that it starts. */
  readonly exported: ReadonlySet<string>
  /** Names that some value was expanded from. */
  readonly expanded: ReadonlySet<string>
}

/** What `$NAME` stands for where the file has not set it. */
export type Lookup = (name: string) => string | undefined

const name = /[A-Za-z_][A-Za-z0-9_]*/y
const blanks = /(?:[ \t]|\\\r?\n)*/y
const comment = /#[^\n]*/y
const parameter = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(\}|:?[-+])|([A-Za-z_][A-Za-z0-9_]*))/y
const onlyForShells = /`|\$[({0-9@*#?$!-]/y
const bashQuote = /\$['"]/y
const inSingleQuotes = 'put the value in single quotes'

/**
 * Reads a file of shell assignments as the shell that sources it would, without running anything: `NAME=value`, `export`,
 * `readonly` and `unset`; single and double quotes, backslashes, continued lines; `$NAME`, `${NAME}`, `${NAME:-word}`,
 * `${NAME-word}`, `${NAME:+word}` and `${NAME+word}`, from what the file has set before and then from `lookup`. Everything
 * else that a shell would run or expand is refused: a value must not differ in silence from what the shell makes of it.
 *
 * @throws UnfitValue naming the line, never its content.
 */
export function parseShellEnv(content: string, lookup: Lookup): ShellAssignments {
  const parser = new ShellParser(content.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), lookup)
  parser.file()
  return parser
}

class ShellParser implements ShellAssignments {
  readonly values = new Map<string, string | undefined>()
  readonly exported = new Set<string>()
  readonly expanded = new Set<string>()
  readonly #source: string
  readonly #lookup: Lookup
  #at = 0
  /** `set -a` was seen: every assignment exports. */
  #exportAll = false

  constructor(source: string, lookup: Lookup) {
    this.#source = source
    this.#lookup = lookup
  }

  file(): void {
    for (this.#skipBlanks(); this.#at < this.#source.length; this.#skipBlanks()) {
      if (this.#take(/\n/y) !== undefined) continue
      this.#command()
      this.#skipBlanks()
      this.#take(/[\n;]/y)
    }
  }

  /** One command, up to its end. */
  #command(): void {
    const start = this.#at
    const word = this.#take(/[^\s;=]+(?=[\s;]|$)/y)?.[0]
    if (word === 'set') this.#options()
    else if (word === 'unset') this.#operands((named) => this.#unset(named), start)
    else if (word === 'export' || word === 'readonly') this.#operands((named) => this.#declare(named, word), start)
    else if (word !== undefined) throw this.#error('is not an assignment, and nothing is run here', undefined, start)
    else if (this.#commandEnds()) throw this.#error('is not of the form NAME=value')
    else this.#operands((named) => this.#declare(named, undefined), start)
  }

  #operands(each: (named: string) => void, start: number): void {
    for (this.#skipBlanks(); !this.#commandEnds(); this.#skipBlanks()) {
      const named = this.#take(name)?.[0]
      if (named === undefined) throw this.#error('is not of the form NAME=value', undefined, start)
      each(named)
      if (!/[\s;]|^$/.test(this.#source.charAt(this.#at)))
        throw this.#error('is not of the form NAME=value', 'a shell takes no blanks around the =', start)
    }
  }

  #declare(named: string, keyword: 'export' | 'readonly' | undefined): void {
    if (keyword === 'export' || this.#exportAll) this.exported.add(named)
    if (this.#source[this.#at] === '=') {
      this.#at++
      this.values.set(named, this.#word(/[\s;]/))
    } else if (keyword === undefined)
      throw this.#error('is not of the form NAME=value', 'a shell takes no blanks around the =')
  }

  #unset(named: string): void {
    this.values.set(named, undefined)
    this.exported.delete(named)
  }

  /** `set -a`, `set -e` and the like. */
  #options(): void {
    const options = this.#take(/[^\n;#]*/y)![0]
    if (/(?:^|\s)-(?:[a-z]*a|o\s+allexport)/.test(options)) this.#exportAll = true
    if (/(?:^|\s)\+(?:[a-z]*a|o\s+allexport)/.test(options)) this.#exportAll = false
  }

  /** Quoted and unquoted pieces, up to an unquoted character of `end` or the end of the file. */
  #word(end: RegExp): string {
    const start = this.#at
    let text = ''
    for (;;) {
      const character = this.#source.charAt(this.#at)
      if (character === '' || end.test(character)) return text
      if (character === '~' && this.#at === start && /[/\s;]|^$/.test(this.#source.charAt(this.#at + 1)))
        throw this.#error('has a ~ that a shell would expand', inSingleQuotes)
      text += this.#piece(character)
    }
  }

  #piece(character: string): string {
    if (character === "'") return this.#singleQuoted()
    if (character === '"') return this.#doubleQuoted()
    if (character === '\\') return this.#escaped(/[\s\S]/y)
    if (this.#take(bashQuote) !== undefined) throw this.#error('has a $\'…\' or $"…" quote', inSingleQuotes)
    if (character === '$' || character === '`') return this.#expansion(false)
    if (/[&|<>()]/.test(character))
      throw this.#error(`has a ${character} outside quotes, which ends the value in a shell`, inSingleQuotes)
    this.#at++
    return character
  }

  #singleQuoted(): string {
    const quoted = this.#take(/'([^']*)'/y)
    if (quoted === undefined) throw this.#error('has a quote that is never closed')
    return quoted[1]!
  }

  #doubleQuoted(): string {
    const start = this.#at++
    const text = this.#quotedUpTo('"')
    if (this.#source[this.#at++] !== '"') throw this.#error('has a quote that is never closed', undefined, start)
    return text
  }

  #quotedUpTo(end: '"' | '}'): string {
    let text = ''
    for (;;) {
      const character = this.#source.charAt(this.#at)
      if (character === '' || character === end || character === '"') return text
      text += this.#pieceInQuotes(character)
    }
  }

  #pieceInQuotes(character: string): string {
    if (character === '\\') return this.#escaped(/[$`"\\\n]/y)
    if (character === '$' || character === '`') return this.#expansion(true)
    this.#at++
    return character
  }

  /** A backslash makes a character of `escapable` plain, and is itself plain before any other. */
  #escaped(escapable: RegExp): string {
    this.#at++
    const escaped = this.#take(escapable)?.[0]
    if (escaped === undefined) return '\\'
    return escaped === '\n' ? '' : escaped
  }

  /** What starts with a `$` or a backquote. */
  #expansion(quoted: boolean): string {
    const found = this.#take(parameter)
    if (found === undefined) {
      if (this.#take(onlyForShells) !== undefined) throw this.#error('has what only a shell can expand', inSingleQuotes)
      this.#at++
      return '$'
    }
    const [, inBraces, operator, bare] = found
    const value = this.#valueOf(inBraces ?? bare!)
    return operator === undefined || operator === '}' ? (value ?? '') : this.#withDefault(value, operator, quoted)
  }

  /** The rest of `${NAME:-word}`, with `:-`, `-`, `:+` or `+`; with a colon an empty value counts as none. */
  #withDefault(value: string | undefined, operator: string, quoted: boolean): string {
    const start = this.#at
    const word = quoted ? this.#quotedUpTo('}') : this.#word(/[}\n]/)
    if (this.#source[this.#at++] !== '}') throw this.#error('has a brace that is never closed', undefined, start)
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'))
    if (operator.endsWith('+')) return isSet ? word : ''
    return isSet ? value : word
  }

  #valueOf(named: string): string | undefined {
    this.expanded.add(named)
    return this.values.has(named) ? this.values.get(named) : this.#lookup(named)
  }

  /** Blanks, continued lines and a comment. */
  #skipBlanks(): void {
    this.#take(blanks)
    if (this.#source[this.#at] === '#') this.#take(comment)
  }

  #commandEnds(): boolean {
    return this.#at >= this.#source.length || /[\n;]/.test(this.#source[this.#at]!)
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)
    if (found !== null) this.#at = pattern.lastIndex
    return found ?? undefined
  }

  #error(message: string, hint?: string, at = this.#at): UnfitValue {
    return new UnfitValue(`line ${this.#source.slice(0, at).split('\n').length} ${message}`, hint)
  }
}
