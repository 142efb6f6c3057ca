export { createBigQueryArchiver } from './archiver.js'
export type { BigQueryArchiverOptions, ViaBucket } from './options.js'
