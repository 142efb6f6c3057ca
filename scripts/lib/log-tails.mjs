import { stripVTControlCharacters } from 'node:util'

/** How many lines of a suite's output are said again: vitest ends with its failures. */
const tailLines = 80

/**
 * The last lines of each task in the output of `turbo run test --ui=stream`, where each line begins with its task, as
 * in `@archiver/core:test: …`; and which tasks turbo says have failed, as in `@archiver/core#test:  ERROR  …`.
 */
export class LogTails {
  #rest = ''
  #tails = new Map()
  #failed = new Set()

  /** Takes output as it comes, cut anywhere. */
  add(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) this.#take(stripVTControlCharacters(line))
  }

  #take(line) {
    const failed = /^(\S+)#test:\s+ERROR/.exec(line)
    if (failed) this.#failed.add(failed[1])
    const [, name, said] = /^(\S+):test: (.*)/.exec(line) ?? []
    if (name === undefined) return
    const tail = this.#tails.get(name) ?? []
    tail.push(said)
    if (tail.length > tailLines) tail.shift()
    this.#tails.set(name, tail)
  }

  /** @returns {{ name: string, tail: string }[]} the tasks that ended with an error, in the order in which they did */
  failures() {
    return [...this.#failed].map((name) => ({ name, tail: (this.#tails.get(name) ?? []).join('\n') }))
  }
}
