import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What each package of the repository may import of the others, in what it ships (docs/architecture.md). A package that is
 * not named here may import what its own kind does.
 */
const SIDES = ['@archiver/core', '@archiver/avro', '@archiver/files', '@archiver/google']
const allowed = {
  core: [],
  google: ['@archiver/core'],
  files: ['@archiver/core'],
  mysql: ['@archiver/core'],
  avro: ['@archiver/core', '@archiver/files'],
  'file-avro': SIDES,
  'gcs-avro': SIDES,
  bigquery: SIDES,
  clickhouse: SIDES,
  cleanup: ['@archiver/core'],
  restore: ['@archiver/core'],
  service: ['@archiver/core', '@archiver/cleanup'],
  tracing: ['@archiver/core'],
  conformance: ['@archiver/core'],
  formats: ['@archiver/core', '@archiver/avro'],
  'scores-api': ['@archiver/core', '@archiver/formats'],
  web: ['@archiver/core', '@archiver/service'],
  testkit: [],
  'fake-bigquery': [],
}

/**
 * Imports that point the wrong way, a sentence for each: a package imports another one that it may not know, or an app.
 *
 * @param {{ name: string, folder: string }[]} packages
 */
export function directionProblems(packages) {
  return packages.flatMap(({ name, folder }) => {
    const may = allowed[name.replace('@archiver/', '')]
    if (may === undefined) return []
    return shippedSources(join(folder, 'src')).flatMap((file) =>
      importsOf(file)
        .filter((imported) => imported !== name && !may.includes(imported))
        .map((imported) => `${file} imports ${imported}: ${name} may import ${may.join(', ') || 'no other package'}`),
    )
  })
}

/** Tests, and what only they use, may import any package. */
function shippedSources(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && !/\.(test|shots)\.ts$|(^|\/)testing\/|test-support\.ts$/.test(file))
    .map((file) => join(folder, file))
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(/(?:from|import|import\()\s*'(@archiver\/[^/']+)/g)
  return [...new Set([...found].map(([, name]) => name))]
}
