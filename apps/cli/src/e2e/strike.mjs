// Preloaded by a test: at the fault point STRIKE_AT the process sends itself the signals STRIKE_WITH (comma-separated),
// then goes on after STRIKE_MS.
const [at, signals, ms] = [process.env.STRIKE_AT, process.env.STRIKE_WITH.split(','), Number(process.env.STRIKE_MS)]
let struck = false

globalThis[Symbol.for('@archiver/fault')] = async (point) => {
  if (point !== at || struck) return
  struck = true
  for (const signal of signals) {
    const received = new Promise((resolve) => process.once(signal, resolve))
    process.kill(process.pid, signal)
    await received
  }
  await new Promise((resolve) => setTimeout(resolve, ms))
}
