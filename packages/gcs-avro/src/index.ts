export { createGcsAvroArchiver } from './gcs-avro-archiver.js'
export type { GcsAvroOptions, Patience } from './options.js'
