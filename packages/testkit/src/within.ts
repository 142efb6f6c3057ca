/**
 * Waits for one step of a test, but no longer than that. A test of many steps (a loop that kills a program thirty times)
 * has a limit for each, and none of its own: a machine that is slow takes long over all of them, not over one.
 *
 * @throws Error that names the step, when the time is over.
 */
export async function within<T>(limitMs: number, step: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${step}: not done within ${limitMs / 1000} s`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
