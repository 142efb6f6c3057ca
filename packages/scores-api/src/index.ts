export { createScoresApi, type ScoresApiOptions, type ScoresHandler } from './handler.js'
export { type Listen, type ScoresServer, startScoresServer } from './server.js'
