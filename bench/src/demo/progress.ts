import { count, seconds } from '../text.js'

/** Prints what is being done, and how long it took once it is done. */
export async function step<T>(what: string, work: () => Promise<T>, note?: (result: T) => string): Promise<T> {
  const startedMs = performance.now()
  process.stdout.write(`${what} … `)
  const result = await work()
  const took = `${seconds(performance.now() - startedMs)} s`
  console.log(note ? `${note(result)}, ${took}` : took)
  return result
}

/** Passes rows on; on a terminal their number so far stands behind what is being done. */
export function* counted<T>(rows: Iterable<T>, total: number): Generator<T> {
  let done = 0
  let shown = ''
  const show = (text: string) => {
    if (process.stdout.isTTY) process.stdout.write('\b \b'.repeat(shown.length) + text)
    shown = text
  }
  for (const row of rows) {
    if (done % 20_000 === 0) show(`${Math.floor((100 * done) / total)}% (${count(done)}) `)
    done += 1
    yield row
  }
  show('written, indexing … ')
}
