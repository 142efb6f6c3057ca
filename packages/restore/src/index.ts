export type { Selection } from './collect.js'
export type { Difference } from './reconcile.js'
export { type RestoreCounts, type RestoreOptions, type RestoreResult, restore } from './restore.js'
