import { defineConfig } from 'rolldown'

/** The workers that schedules run in: one file starts three times as fast as the modules, and hundreds are started. */
export default defineConfig({
  input: 'dist/schedule/runner.js',
  platform: 'node',
  external: [/^chdb/, 'snappy'],
  output: { dir: 'bundle', format: 'esm', cleanDir: true, sourcemap: true },
})
