export { createFileAvroArchiver } from './file-avro-archiver.js'
export type { FileAvroOptions } from './options.js'
