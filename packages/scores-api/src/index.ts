export { createScoresApi, type ScoresApiOptions, type ScoresHandler } from './handler.js'
