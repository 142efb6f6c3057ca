export { createScoresApi, type ScoresApiOptions, type ScoresHandler } from './handler.js'
export { scoresPaths } from './openapi.js'
