import { runNpmScript } from './lib/npm-script.mjs'

process.exitCode = await runNpmScript({
  name: 'demo',
  about:
    'Shows the main job on generated rows: a private MariaDB, ./archiver archive into Avro files and an embedded\n' +
    'ClickHouse, and questions to the latter. What it stores stays in demo-data/, which is replaced by the next run.',
  options: {
    rows: { type: 'count', about: 'rows to generate', default: 1_000_000, min: 1, max: 100_000_000 },
    stay: { type: 'flag', about: 'keep MariaDB running until Ctrl-C, to try ./archiver yourself' },
    query: { type: 'text', about: 'only ask the ClickHouse that an earlier run left in demo-data/ this' },
    folder: { type: 'text', about: 'where to store', default: 'demo-data' },
  },
  program: 'bench/dist/demo/main.js',
})
