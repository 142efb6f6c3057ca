import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** Where the demo keeps what it archived. A file in it says that the folder is the demo's to empty, and who uses it. */
export class DataFolder {
  readonly path: string
  /** The same, as short as can be from the working directory. */
  readonly shortPath: string

  constructor(path: string) {
    this.path = resolve(path)
    this.shortPath = relative(process.cwd(), this.path) || '.'
    if (this.shortPath.startsWith('..')) this.shortPath = this.path
  }

  /** Empties the folder for a new run. @throws Error for a folder that holds something else, or another demo's run. */
  claim(): void {
    this.#refuseOthers()
    rmSync(this.path, { recursive: true, force: true })
    for (const name of ['avro', 'clickhouse']) mkdirSync(this.file(name), { recursive: true })
    writeFileSync(this.#ownerFile, `${process.pid}\n`)
  }

  /** Leaves the data and gives the folder free. */
  release(): void {
    writeFileSync(this.#ownerFile, '')
  }

  /** Removes an unfinished run. */
  discard(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  file(name: string): string {
    return join(this.path, name)
  }

  get #ownerFile(): string {
    return this.file('.archiver-demo')
  }

  #refuseOthers(): void {
    if (!existsSync(this.path) || readdirSync(this.path).length === 0) return
    if (!existsSync(this.#ownerFile))
      throw new Error(`${this.path} holds something that is not the demo's; name another --folder`)
    const owner = Number(readFileSync(this.#ownerFile, 'utf8'))
    if (owner > 0 && isRunning(owner)) throw new Error(`another demo (process ${owner}) is using ${this.path}`)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
