import { Agent, get } from 'node:http'

/** How long a running service takes to answer: `node bench.mjs http://127.0.0.1:5000 [requests]`. */
const [url = 'http://127.0.0.1:5000', requests = '1000'] = process.argv.slice(2).filter((arg) => arg !== '--')
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** @returns milliseconds until the last byte, and how many bytes there were */
function ask(path) {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    const request = get(url + path, { agent }, (response) => {
      let bytes = 0
      response.on('data', (piece) => {
        bytes += piece.length
      })
      response.on('end', () => resolve({ ms: performance.now() - startedMs, bytes, status: response.statusCode }))
    })
    request.on('error', reject)
  })
}

async function measure(path) {
  for (let i = 0; i < 50; i++) await ask(path)
  const answers = []
  for (let i = 0; i < Number(requests); i++) answers.push(await ask(path))
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (part) => `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(2)} ms`
  return { path, status: answers[0].status, bytes: answers[0].bytes, p50: at(0.5), p99: at(0.99), most: at(1) }
}

const results = []
for (const path of ['/metrics', '/api/status', '/api/history', '/readyz', '/']) results.push(await measure(path))
console.table(results)
agent.destroy()
