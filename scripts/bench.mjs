import { runNpmScript } from './lib/npm-script.mjs'

process.exitCode = await runNpmScript({
  name: 'bench',
  about: 'Measures the archiver against a plain read of the same rows, and beside other tools. See bench/README.md.',
  options: {
    rows: { type: 'count', about: 'rows of the main runs', default: 4_000_000, min: 1000, max: 100_000_000 },
    flat: {
      type: 'count',
      about: 'rows of the largest single batch; 0: none',
      default: 10_000_000,
      min: 0,
      max: 100_000_000,
    },
    rounds: { type: 'count', about: 'rounds, of which medians are taken', default: 3, min: 1, max: 100 },
    wait: { type: 'count', about: 'seconds to wait for a quiet machine, each time', default: 20, min: 0, max: 3600 },
    service: { type: 'count', about: 'seconds for which rows arrive at the service', default: 120, min: 12, max: 3600 },
    only: {
      type: 'text',
      about: 'one part: main, others, idle, service, verify, restore, read, cleanup, flat',
      choices: ['main', 'others', 'idle', 'service', 'verify', 'restore', 'read', 'cleanup', 'flat'],
    },
    json: { type: 'text', about: 'file to write all figures to', default: 'bench/result.json' },
  },
  program: 'bench/dist/main.js',
})
