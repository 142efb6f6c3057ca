export { type GoogleFailure, googleFailure, isGoogleLogin, isGoogleUnreachable } from './google-failure.js'
export { GOOGLE_KEY_VARIABLE, requireGoogleKeyFile } from './google-key-file.js'
